import { mkdir, writeFile } from 'node:fs/promises';
import { Client } from 'pg';
import { startStack, TOKEN_KEY, testServer } from '../e2e/support/stack.ts';
import { signAccessToken } from '../service-kit/src/tokens/access-token.ts';
import { createFloor } from './orders.floor.ts';
import { createHttpClient } from './support/http-client.ts';
import { type Load, medianOf, runLoad } from './support/load.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 4);
const RUNS = 3;
const CLIENTS = [1, 16, 64];
const USERS = 64;
const STOCK = 1_000_000_000;
const PRODUCTS = 1000;
/** Ids above the products for sale: as many that are sold out. */
const isSoldOut = (id: number) => id > PRODUCTS;

const among = (count: number, first = 1) => first + Math.floor(Math.random() * count);
/** Two different ones of 1 to `count`, in id order. */
function two(count: number): number[] {
  const [a, b] = [among(count), among(count - 1)];
  return a <= b ? [a, b + 1] : [b, a];
}

/** What is ordered, in product ids, and whether such an order is placed. */
const BASKETS: Record<string, { basketOf(): number[]; places(ids: number[]): boolean }> = {
  'one of 1,000': { basketOf: () => [among(PRODUCTS)], places: () => true },
  'two of 1,000': { basketOf: () => two(PRODUCTS), places: () => true },
  'one hot product': { basketOf: () => [1], places: () => true },
  'two, half of them sold out': { basketOf: () => two(2 * PRODUCTS), places: (ids) => !ids.some(isSoldOut) },
};

/** Orders per second of the running services beside the same statements by bare `pg`, in turns within one run. */
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
  const http = createHttpClient(stack.order.url, Math.max(...CLIENTS));
  const floor = createFloor(stack.order.databaseUrl, stack.product.databaseUrl, 10);
  const tokens = Array.from({ length: USERS }, (_, i) =>
    signAccessToken({ id: i + 1, role: 'customer', sessionId: `bench-${i}` }, TOKEN_KEY, 3600),
  );
  const rows: object[] = [];
  try {
    for (const [name, { basketOf, places }] of Object.entries(BASKETS)) {
      for (const clients of CLIENTS) {
        const expected = (placed: boolean, ordered: number[]) => placed === places(ordered);
        const byService = async (client: number) => {
          const ids = basketOf();
          return expected(await order(http, tokens[client % USERS] ?? '', ids), ids);
        };
        const bySql = async (client: number) => {
          const ids = basketOf();
          return expected(await floor.placeOrder((client % USERS) + 1, linesOf(ids)), ids);
        };
        rows.push(row(name, clients, await inTurns(clients, byService, bySql)));
      }
    }
    const batches = (await (await fetch(`${stack.order.url}/metrics`)).text()).match(
      /^placement_batch_size_(sum|count).*$/gm,
    );
    console.log(batches?.join('\n'));
  } finally {
    http.close();
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

type Call = (client: number) => Promise<boolean>;

async function inTurns(clients: number, byService: Call, bySql: Call) {
  const service: Load[] = [];
  const sql: Load[] = [];
  await runLoad(clients, 1, byService);
  await runLoad(clients, 1, bySql);
  for (let run = 0; run < RUNS; run++) {
    service.push(await runLoad(clients, SECONDS, byService));
    sql.push(await runLoad(clients, SECONDS, bySql));
  }
  return { service: medianOf(service), sql: medianOf(sql) };
}

const linesOf = (ids: number[]) => ids.map((product_id) => ({ product_id, quantity: 1 }));

async function order(
  http: ReturnType<typeof createHttpClient>,
  token: string,
  productIds: number[],
): Promise<boolean> {
  const body = JSON.stringify({ products: linesOf(productIds) });
  return (await http.post('/api/orders', body, { authorization: `Bearer ${token}` })).status === 201;
}

function row(products: string, clients: number, { service, sql }: { service: Load; sql: Load }) {
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
