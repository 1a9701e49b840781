import { mkdir, writeFile } from 'node:fs/promises';
import { Client } from 'pg';
import { startStack, TOKEN_KEY, testServer } from '../e2e/support/stack.ts';
import { signAccessToken } from '../service-kit/src/tokens/access-token.ts';
import { createFloor } from './orders.floor.ts';
import type { Job } from './support/generator.ts';
import { medianOf, runLoad } from './support/load.ts';
import { generate } from './support/processes.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 4);
/** A pattern of what to measure, such as `two of 1,000, 16`. */
const ONLY = new RegExp(process.env['BENCH_ONLY'] ?? '');
const RUNS = 3;
const CLIENTS = [1, 16, 64];
/** Warm-up in seconds, until hot code is compiled on both sides. */
const WARM_UP = 4 * SECONDS;
const STOCK = 1_000_000_000;
const PRODUCTS = 1000;
/** Prepared baskets per connection. */
const BASKETS_EACH = 100;
/** The same number of sold-out products, with higher ids. */
const isSoldOut = (id: number) => id > PRODUCTS;

const among = (count: number) => 1 + Math.floor(Math.random() * count);
/** Two different ones of 1 to `count`, in id order. */
function two(count: number): number[] {
  const [a, b] = [among(count), among(count - 1)];
  return a <= b ? [a, b + 1] : [b, a];
}

/** Ordered product ids, and the expected statuses. */
const BASKETS: Record<string, { basketOf(): number[]; expected: number[] }> = {
  'one of 1,000': { basketOf: () => [among(PRODUCTS)], expected: [201] },
  'two of 1,000': { basketOf: () => two(PRODUCTS), expected: [201] },
  'one hot product': { basketOf: () => [1], expected: [201] },
  'two, half of them sold out': { basketOf: () => two(2 * PRODUCTS), expected: [201, 400] },
};

interface Turn {
  rate: number;
  p50: number;
  p99: number;
  failures: number;
}

/**
 * Compares orders per second of the running services with the same statements by bare `pg`, in turns within one run. A
 * separate process sends the requests; this one sends the statements and does nothing else.
 */
async function main() {
  const stack = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    only: ['product-service', 'order-service'],
    env: {
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_ORDER_CREATE: '999999999/60',
      LOG_LEVEL: 'info',
    },
  });
  await fillCatalogue(stack.product.databaseUrl);
  const floor = createFloor(stack.order.databaseUrl, stack.product.databaseUrl, 10);
  const rows: object[] = [];
  const measured = Object.entries(BASKETS).flatMap(([name, basket]) =>
    CLIENTS.map((clients) => ({ name, basket, clients })),
  );
  try {
    let isWarm = false;
    for (const { name, basket, clients } of measured.filter((one) =>
      ONLY.test(`${one.name}, ${one.clients}`),
    )) {
      const { basketOf, expected } = basket;
      const byService = (seconds: number): Promise<Turn> =>
        generate({ ...orders(clients, basketOf), url: stack.order.url, seconds, expected });
      const bySql = (seconds: number): Promise<Turn> =>
        runLoad(clients, seconds, async (client) => {
          const ids = basketOf();
          return (await floor.placeOrder(client + 1, linesOf(ids))) === !ids.some(isSoldOut);
        });
      await byService(isWarm ? 1 : WARM_UP);
      await bySql(isWarm ? 1 : WARM_UP);
      isWarm = true;
      const [service, sql]: [Turn[], Turn[]] = [[], []];
      for (let run = 0; run < RUNS; run++) {
        service.push(await byService(SECONDS));
        sql.push(await bySql(SECONDS));
      }
      rows.push(row(name, clients, medianOf(service), medianOf(sql)));
    }
    const batches = (await (await fetch(`${stack.order.url}/metrics`)).text()).match(
      /^placement_batch_size_(sum|count).*$/gm,
    );
    console.log(batches?.join('\n'));
  } finally {
    await floor.close();
    await stack.close();
  }
  console.table(rows);
  await mkdir('bench/results', { recursive: true });
  await writeFile(
    'bench/results/orders.json',
    `${JSON.stringify({ at: new Date(), node: process.version, rows }, null, 2)}\n`,
  );
}

const linesOf = (ids: number[]) => ids.map((product_id) => ({ product_id, quantity: 1 }));

/** Each connection has its own user. */
function orders(connections: number, basketOf: () => number[]): Omit<Job, 'url' | 'seconds'> {
  const clients = Array.from({ length: connections }, (_, i) => {
    const token = signAccessToken({ id: i + 1, role: 'customer', sessionId: `bench-${i}` }, TOKEN_KEY, 3600);
    return {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      bodies: Array.from({ length: BASKETS_EACH }, () => JSON.stringify({ products: linesOf(basketOf()) })),
    };
  });
  return { connections, method: 'POST', path: '/api/orders', clients };
}

function row(products: string, clients: number, service: Turn, sql: Turn) {
  const rounded = (value: number) => Math.round(value * 10) / 10;
  return {
    products,
    clients,
    'orders/s': rounded(service.rate),
    'p50 ms': rounded(service.p50),
    'p99 ms': rounded(service.p99),
    'floor/s': rounded(sql.rate),
    'floor p50': rounded(sql.p50),
    'floor p99': rounded(sql.p99),
    'share of floor': `${Math.round((service.rate / sql.rate) * 100)} %`,
    failures: service.failures + sql.failures,
  };
}

async function fillCatalogue(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(
    `INSERT INTO products (name, price_minor, stock, category, owner_id)
     SELECT 'Product ' || n, 1000, $1, 'Bench', 1 FROM generate_series(1, $2) AS n`,
    [STOCK, PRODUCTS],
  );
  await client.query(
    `INSERT INTO products (name, price_minor, stock, category, owner_id)
     SELECT 'Sold out ' || n, 1000, 0, 'Bench', 1 FROM generate_series(1, $1) AS n`,
    [PRODUCTS],
  );
  await client.query('ANALYZE products');
  await client.end();
}

await main();
