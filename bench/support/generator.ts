import autocannon, { type Client, type Request, type Result } from 'autocannon';
import { percentile } from './load.ts';

/** What a generator process is told on its command line, as JSON. */
export interface Job {
  url: string;
  seconds: number;
  connections: number;
  /** In path, headers and body `{n}` becomes the request's number, `{address}` and `{product}` what it stands for. */
  path: string;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  /** The first number. */
  from?: number;
  /** Requests that are prepared and sent in turn; 0: each request is made when it is sent. */
  prepared?: number;
}

/** What it prints, as JSON. */
export interface Turn {
  /** Good answers per second. */
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
  const { url, seconds, connections, method = 'GET', headers = {}, body, prepared = 1 } = job;
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
  const requests = prepared === 0 ? [{ setupRequest: make }] : Array.from({ length: prepared }, make);
  const times: number[] = [];
  const result = await new Promise<Result>((resolve, reject) => {
    const options = { url, connections, duration: seconds, requests };
    autocannon(options, (error, found) => (error ? reject(error) : resolve(found))).on(
      'response',
      (_client: Client, _status: number, _bytes: number, time: number) => times.push(time),
    );
  });
  times.sort((a, b) => a - b);
  const failures = result.non2xx + result.errors + result.timeouts;
  return {
    rate: (times.length - result.non2xx) / result.duration,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    failures,
    sent: times.length,
  };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}'))));
