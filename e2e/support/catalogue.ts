import { signAccessToken } from '@shop/service-kit/tokens/access-token';
import { Client } from 'pg';
import { TOKEN_KEY } from './stack.ts';

/** An access token of a user who need not exist: services check the signature only. */
export function tokenOf(userId: number, role: 'customer' | 'admin' = 'customer'): string {
  return signAccessToken({ id: userId, role, sessionId: `e2e-${userId}` }, TOKEN_KEY, 3600);
}

/** Inserts products with this stock and their ledger entries directly. @returns their ids */
export async function addProducts(databaseUrl: string, count: number, stock: number): Promise<number[]> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ id: number }>(
      `WITH made AS (
         INSERT INTO products (name, price_minor, stock, category, owner_id)
         SELECT 'Product ' || n, 1000, $2, 'Test', 1 FROM generate_series(1, $1) AS n RETURNING id, stock
       ), ledger AS (
         INSERT INTO stock_movements (product_id, delta, reason, actor, stock_after)
         SELECT id, stock, 'initial', 'user:1', stock FROM made
       )
       SELECT id FROM made ORDER BY id`,
      [count, stock],
    );
    return rows.map((row) => row.id);
  });
}

/** The stock, and the sum of the ledger. */
export async function stockOf(databaseUrl: string, id: number): Promise<{ stock: number; ledger: number }> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ stock: number; ledger: number }>(
      `SELECT stock, (SELECT sum(delta)::int FROM stock_movements WHERE product_id = products.id) AS ledger
         FROM products WHERE id = $1`,
      [id],
    );
    if (rows[0] === undefined) throw new Error(`no product ${id}`);
    return rows[0];
  });
}

async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return use(client).finally(() => client.end());
}
