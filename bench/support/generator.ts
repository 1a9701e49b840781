import { once } from 'node:events';
import autocannon, { type Client, type Request, type Result } from 'autocannon';
import { percentile } from './load.ts';

/** The first message to a generator process. */
export interface Job {
  url: string;
  seconds: number;
  connections: number;
  /** In path, headers and body, `{n}`, `{address}` and `{product}` are replaced for each request. */
  path: string;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  /** The first number. */
  from?: number;
  /** Number of prepared requests, sent in turn; 0: each request is generated when it is sent. */
  prepared?: number;
  /** Instead of the above: the prepared requests of each connection, sent in turn. The n-th connection has the n-th. */
  clients?: { headers: Record<string, string>; bodies: string[] }[];
  /** Expected statuses; any 2xx by default. */
  expected?: number[];
}

/** The result that it prints as JSON. */
export interface Turn {
  /** Successful responses per second. */
  rate: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  failures: number;
  sent: number;
}

/** Different products that are ordered. */
const PRODUCTS = 1000;

async function run(job: Job): Promise<Turn> {
  const { url, seconds, connections, method = 'GET', headers = {}, body, prepared = 1, expected } = job;
  let number = job.from ?? 0;
  const fill = (text: string, n: number) =>
    text
      .replaceAll('{n}', String(n))
      .replaceAll('{product}', String(1 + (n % PRODUCTS)))
      .replaceAll('{address}', `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`);
  const make = (): Request => {
    const n = number++;
    const filled = Object.entries(headers).map(([name, value]) => [name, fill(value, n)]);
    return {
      method,
      path: fill(job.path, n),
      headers: Object.fromEntries(filled),
      ...(body && { body: fill(body, n) }),
    };
  };
  const clients = job.clients?.map((client) =>
    client.bodies.map((text): Request => ({ method, path: job.path, headers: client.headers, body: text })),
  );
  let connected = 0;
  const setupClient = (client: Client) => {
    const own = clients?.[connected++ % clients.length];
    if (own !== undefined) client.setRequests(own);
  };
  const isGood = (status: number) => expected?.includes(status) ?? (status >= 200 && status < 300);
  let good = 0;
  const requests = prepared === 0 ? [{ setupRequest: make }] : Array.from({ length: prepared }, make);
  const times: number[] = [];
  const result = await new Promise<Result>((resolve, reject) => {
    const options = { url, connections, duration: seconds, requests, setupClient };
    autocannon(options, (error, found) => (error ? reject(error) : resolve(found))).on(
      'response',
      (_client: Client, status: number, _bytes: number, time: number) => {
        times.push(time);
        if (isGood(status)) good += 1;
      },
    );
  });
  times.sort((a, b) => a - b);
  const failures = times.length - good + result.errors + result.timeouts;
  return {
    rate: good / result.duration,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    failures,
    sent: times.length,
  };
}

const [job] = await once(process, 'message');
console.log(JSON.stringify(await run(job)));
process.disconnect();
