import { Client } from 'pg';

export const SHELVES = 50;

async function onDatabase<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return use(client).finally(() => client.end());
}

/** A catalogue to measure with: products 1 to `count` on SHELVES shelves, with ample stock. */
export function fillShelves(url: string, count: number): Promise<void> {
  return onDatabase(url, async (client) => {
    await client.query(
      `INSERT INTO products (name, description, price_minor, stock, category, owner_id)
       SELECT 'Product ' || n, repeat('What it is and does. ', 8), 100 + n * 7919 % 100000, 1000000, 'Shelf ' || n % ${SHELVES}, 1
         FROM generate_series(1, $1::int) AS n`,
      [count],
    );
    await client.query('ANALYZE products');
  });
}

/** Call once before `statementsOf`. */
export function countStatements(url: string): Promise<void> {
  return onDatabase(
    url,
    async (client) => void (await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements')),
  );
}

/**
 * Number of statements that this database has run so far, counted by Postgres. It leaves out those that read the epoch of
 * the cache: at most three a second for each process, however many reads there are.
 */
export function statementsOf(url: string): Promise<number> {
  return onDatabase(url, async (client) => {
    const { rows } = await client.query<{ calls: number }>(
      `SELECT coalesce(sum(calls), 0)::float8 AS calls FROM pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND query NOT LIKE '%pg_stat_statements%' AND query NOT LIKE '%FROM cache_trust%'`,
    );
    return rows[0]?.calls ?? 0;
  });
}
