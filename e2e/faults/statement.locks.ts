import type { PoolClient } from 'pg';
import { sleep } from '../support/process.ts';
import type { Point } from './fault.points.ts';
import type { FaultShop } from './fault.shop.ts';

const UNTIL_AWAITED = 300;
const PAUSE = 5;

/** Locks that each statement needs and the test takes first, so that a fault can strike while the statement waits. */
const LOCKS: Partial<Record<Point, { database: 'orderDb' | 'productDb'; sql: string }>> = {
  'in intent': { database: 'orderDb', sql: 'LOCK TABLE orders IN SHARE MODE' },
  'in reserve': { database: 'productDb', sql: 'SELECT FROM products WHERE stock > 0 FOR UPDATE' },
  'in place': { database: 'orderDb', sql: `SELECT FROM orders WHERE placement = 'PLACING' FOR UPDATE` },
};

/**
 * Makes the statement of a point wait. @returns undefined for a point that is not a statement, and if the database is
 * already down
 */
export async function holdLock(shop: FaultShop, point: Point) {
  const lock = LOCKS[point];
  if (lock === undefined) return undefined;
  const client = await shop[lock.database].connect().catch(() => undefined);
  if (client === undefined) return undefined;
  const held = await client.query(`BEGIN; SET LOCAL lock_timeout = 500; ${lock.sql}`).catch(() => undefined);
  if (held === undefined) return void client.release(true);
  return {
    untilAwaited: () => untilAwaited(client),
    /** Closes the connection, which ends the transaction. */
    release: () => client.release(true),
  };
}

/** Locks one of the newest products in stock, like a slow change of it. @returns a function that releases the lock */
export async function lockProduct({ productDb }: FaultShop): Promise<() => void> {
  const client = await productDb.connect().catch(() => undefined);
  if (client === undefined) return () => undefined;
  await client
    .query('BEGIN; SELECT FROM products WHERE stock > 0 ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED')
    .catch(() => undefined);
  return () => client.release(true);
}

async function untilAwaited(client: PoolClient): Promise<void> {
  for (let waited = 0; waited < UNTIL_AWAITED; waited += PAUSE) {
    const { rows } = await client
      .query('SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted')
      .catch(() => ({ rows: [{ waiting: 1 }] }));
    if (rows[0]?.waiting > 0) return;
    await sleep(PAUSE);
  }
}
