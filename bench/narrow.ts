import { Client } from 'pg';
import { startStack, testServer } from '../e2e/support/stack.ts';
import { medianOf, runLoad } from './support/load.ts';
import { fillShelves } from './support/shelves.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 2);
const RUNS = 5;
const PRODUCTS = 10_000;
/** Products that are ordered, and how many of them one batch of orders changes. */
const ORDERED = 1000;
const LINES = 16;
const CONNECTIONS = 4;

/** Takes one unit of each product, as a batch of reservations does. */
const take = (table: string) =>
  `UPDATE ${table} AS s SET stock = s.stock - 1, version = s.version + 1
     FROM unnest($1::int[]) AS wanted(id) WHERE s.id = wanted.id AND s.id = ANY ($1) RETURNING s.id, s.stock`;

const STATEMENTS: Record<string, string> = {
  'take from products': take('products'),
  'take from stocks': take('stocks'),
  'read products': 'SELECT p.* FROM products p WHERE p.id = ANY ($1)',
  'read products and stocks':
    'SELECT p.*, s.stock AS quantity FROM products p JOIN stocks s USING (id) WHERE p.id = ANY ($1)',
};

/** Compares stock as a column of products, as it is, with a table of its own (docs/decisions/012-stock-in-products.md). */
async function main() {
  const stack = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    only: ['user-service', 'product-service'],
  });
  const url = stack.product.databaseUrl;
  const clients = Array.from({ length: CONNECTIONS }, () => new Client({ connectionString: url }));
  try {
    await fillShelves(url, PRODUCTS);
    await Promise.all(clients.map((client) => client.connect()));
    const [first] = clients as [Client];
    await first.query(
      `CREATE TABLE stocks (id int PRIMARY KEY, stock int NOT NULL CHECK (stock >= 0), version int NOT NULL)
         WITH (fillfactor = 50)`,
    );
    await first.query('INSERT INTO stocks SELECT id, stock, version FROM products');
    for (const table of ['products', 'stocks']) await first.query(`VACUUM FULL ANALYZE ${table}`);
    console.table(await compare(clients));
  } finally {
    await Promise.all(clients.map((client) => client.end()));
    await stack.close();
  }
}

async function compare(clients: Client[]) {
  const runs = new Map<string, { rate: number; wal: number }[]>(
    Object.keys(STATEMENTS).map((name) => [name, []]),
  );
  for (let run = 0; run < RUNS; run++)
    for (const [name, text] of Object.entries(STATEMENTS))
      runs.get(name)?.push(await takeTurn(clients, name, text));
  return [...runs].map(([name, all]) => {
    const { rate, wal } = medianOf(all);
    return { statement: name, 'per second': Math.round(rate), 'bytes of WAL': Math.round(wal) };
  });
}

async function takeTurn(clients: Client[], name: string, text: string) {
  const before = await walPosition(clients);
  const { rate, failures } = await runLoad(clients.length, SECONDS, async (number) => {
    await clients[number]?.query({ name, text, values: [someProducts()] });
    return true;
  });
  if (failures > 0) throw new Error(`${name} failed ${failures} times`);
  return { rate, wal: ((await walPosition(clients)) - before) / (rate * SECONDS) };
}

/** In bytes since the server was created. */
async function walPosition([client]: Client[]): Promise<number> {
  const result = await client?.query("SELECT (pg_current_wal_lsn() - '0/0')::float8 AS bytes");
  return result?.rows[0].bytes;
}

/** Different ids in their order, so that batches do not deadlock. */
function someProducts(): number[] {
  const ids = new Set<number>();
  while (ids.size < LINES) ids.add(1 + Math.floor(Math.random() * ORDERED));
  return [...ids].sort((a, b) => a - b);
}

await main();
