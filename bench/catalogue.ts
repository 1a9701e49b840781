import { mkdir, writeFile } from 'node:fs/promises';
import { call } from '../e2e/support/http.ts';
import { type ServiceProcess, type Stack, startStack, testServer } from '../e2e/support/stack.ts';
import type { Job, Turn } from './support/generator.ts';
import { residentBytes } from './support/memory.ts';
import { generate, type Peer, processorTime, startPeer } from './support/processes.ts';
import { countStatements, fillShelves, statementsOf } from './support/shelves.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 2);
/** A pattern for the names of the calls to measure. */
const ONLY = new RegExp(process.env['BENCH_ONLY'] ?? '');
const RUNS = 5;
/** Seconds until code that runs often is compiled. */
const WARM_UP = 5 * SECONDS;
const CONNECTIONS = 16;
const PRODUCTS = 10_000;
/** Client addresses, sent as by a trusted proxy, so that each stays below the rate limit. */
const ADDRESSES = 2000;
/** Orders of the user whose orders are read, two lines each. */
const ORDERS = 10;
const UNLIMITED = '999999999/60';

interface Scenario {
  name: string;
  service: ServiceProcess;
  /** Whose statements are counted. */
  databases: string[];
  job: Omit<Job, 'url' | 'seconds' | 'connections'>;
  peers: Record<string, Peer>;
}

/** The result of a turn, with its costs for the measured process. */
interface Measured extends Turn {
  /** Processor time for each request, in microseconds. */
  cost: number;
  memory: number;
  statements: number;
}

/** Compares the calls of a shop's front page with bare servers that send the same bytes, in short turns within one run. */
async function main() {
  const stack = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    env: {
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      // Mails are not measured: this address refuses connections.
      SMTP_URL: 'smtp://127.0.0.1:1',
      TRUST_PROXY: '1',
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_ORDER_CREATE: UNLIMITED,
      RATE_LIMIT_USER_READS: UNLIMITED,
      RATE_LIMIT_ORDER_READS: UNLIMITED,
    },
  });
  const { user, product, order } = stack;
  const peers: Peer[] = [];
  const rows: object[] = [];
  try {
    await Promise.all([user, product, order].map(({ databaseUrl }) => countStatements(databaseUrl)));
    await fillShelves(product.databaseUrl, PRODUCTS);
    const scenarios = await scenariosOf(stack, peers);
    for (const scenario of scenarios.filter(({ name }) => ONLY.test(name)))
      rows.push(...(await measure(scenario)));
  } finally {
    await Promise.all(peers.map((peer) => peer.close()));
    await stack.close();
  }
  console.table(rows);
  await mkdir('bench/results', { recursive: true });
  const result = { at: new Date(), node: process.version, rows };
  await writeFile('bench/results/catalogue.json', `${JSON.stringify(result, null, 2)}\n`);
}

async function scenariosOf({ user, product, order }: Stack, peers: Peer[]): Promise<Scenario[]> {
  const start = async (name: string, args: string[]) => {
    const peer = await startPeer(name, args);
    peers.push(peer);
    return peer;
  };
  const sql = {
    'express + pg': await start('sql', [user.databaseUrl, product.databaseUrl, order.databaseUrl]),
  };
  const token = await registered(user);
  const headers = { authorization: `Bearer ${token}` };
  for (let n = 0; n < ORDERS; n++) {
    const body = { products: [1, 2].map((line) => ({ product_id: 2 * n + line, quantity: 1 })) };
    await call('POST', `${order.url}/api/orders`, body, { token });
  }
  const browse = { headers: { 'x-forwarded-for': '{address}' }, prepared: ADDRESSES };
  const cached = async (name: string, path: string): Promise<Scenario> => ({
    name,
    service: product,
    databases: [product.databaseUrl],
    job: { ...browse, path },
    peers: {
      express: await start('bytes', ['express', product.url + path]),
      'node:http': await start('bytes', ['http', product.url + path]),
    },
  });
  const uncached = (name: string, path: string): Scenario => ({
    name,
    service: product,
    databases: [product.databaseUrl],
    job: { ...browse, prepared: 0, path },
    peers: sql,
  });
  /** Reads of a user's own data: each one queries Redis. */
  const own = async (name: string, service: ServiceProcess, path: string): Promise<Scenario> => ({
    name,
    service,
    databases: [service.databaseUrl],
    job: { path, headers },
    peers: { express: await start('bytes', ['express', service.url + path, token]) },
  });
  const withoutRedis = await user.replicate({ REDIS_URL: '' });
  peers.push({ pid: 0, url: withoutRedis.url, close: async () => void (await withoutRedis.stop()) });
  return [
    await cached('list, cached', '/api/products?per_page=20'),
    await cached('product, cached', '/api/products/7'),
    uncached('filtered list, never cached', '/api/products?category=Shelf%207&sort=price&max_price={n}'),
    uncached('search, never cached', '/api/products?q=product&max_price={n}'),
    await own('me, cached', user, '/api/users/me'),
    await own('orders, cached', order, '/api/orders'),
    await own('one order, cached', order, '/api/orders/1'),
    await own('stats, cached', order, '/api/orders/stats'),
    {
      name: 'me, without Redis',
      service: withoutRedis,
      databases: [user.databaseUrl],
      job: { path: '/api/users/me', headers },
      peers: sql,
    },
    {
      name: 'order',
      service: order,
      databases: [order.databaseUrl, product.databaseUrl],
      job: {
        method: 'POST',
        path: '/api/orders',
        headers: { ...headers, 'content-type': 'application/json' },
        body: '{"products":[{"product_id":{product},"quantity":1}]}',
        prepared: 1000,
      },
      peers: sql,
    },
  ];
}

/** The first user, whom the peer returns too. */
async function registered({ url }: ServiceProcess): Promise<string> {
  const body = { username: 'bench', email: 'bench@example.com', password: 'of-the-measurement' };
  const { body: response } = await call('POST', `${url}/api/users/register`, body);
  return String(response['tokens']?.['access_token']);
}

async function measure(scenario: Scenario): Promise<object[]> {
  const { name, service, peers } = scenario;
  const sides = { service: { url: service.url, pid: service.process.pid }, ...peers };
  const turns = new Map<string, Measured[]>(Object.keys(sides).map((side) => [side, []]));
  for (const side of Object.values(sides)) await takeTurn(scenario, side, 0, WARM_UP);
  for (let run = 1; run <= RUNS; run++) {
    for (const [side, address] of Object.entries(sides))
      turns.get(side)?.push(await takeTurn(scenario, address, run));
  }
  const serviceRate = median(turns.get('service') ?? [], 'rate');
  return [...turns].map(([side, all]) => row(name, side, all, serviceRate));
}

async function takeTurn(
  { job, databases }: Scenario,
  { url, pid }: { url: string; pid: number },
  run: number,
  seconds = SECONDS,
) {
  const counted = () => Promise.all(databases.map((database) => statementsOf(database)));
  const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0);
  const before = { time: await processorTime(pid), statements: sum(await counted()) };
  // Each generated request has its own number above the highest price, so that no response is cached.
  const from = job.prepared === 0 ? 100_000 + run * 1_000_000 : 0;
  const turn = await generate({ ...job, url, connections: CONNECTIONS, seconds, from });
  return {
    ...turn,
    cost: ((await processorTime(pid)) - before.time) / turn.sent,
    statements: (sum(await counted()) - before.statements) / turn.sent,
    memory: await residentBytes(pid),
  };
}

function row(name: string, side: string, turns: Measured[], serviceRate: number) {
  const rounded = (value: number) => Math.round(value * 100) / 100;
  const rate = median(turns, 'rate');
  return {
    call: side === 'service' ? name : '',
    by: side,
    'req/s': Math.round(rate),
    'p50 ms': rounded(median(turns, 'p50')),
    'p99 ms': rounded(median(turns, 'p99')),
    'cpu µs': Math.round(median(turns, 'cost')),
    'RSS MB': Math.round(Math.max(...turns.map((turn) => turn.memory)) / 1e6),
    'queries/req': rounded(median(turns, 'statements')),
    'service to it': side === 'service' ? '' : `${Math.round((serviceRate / rate) * 100)} %`,
    failures: turns.reduce((sum, turn) => sum + turn.failures, 0),
  };
}

function median(turns: Measured[], field: 'rate' | 'p50' | 'p99' | 'cost' | 'statements'): number {
  const sorted = turns.map((turn) => turn[field]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

await main();
