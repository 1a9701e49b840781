import { Pool } from 'pg';
import { checkOrders, checkReservations } from '../faults/invariant.checks.ts';
import { notReleased, ordersOf, unbalanced, underWay } from '../faults/invariant.queries.ts';
import { until } from '../support/process.ts';
import type { Seen } from './order.load.ts';

const EVERYBODY = Array.from({ length: 1000 }, (_, user) => user);
/** Milliseconds until nothing is held or waits: anti-entropy compares after a minute. */
const QUIET_WITHIN = 100_000;

export interface Databases {
  /** Direct addresses of the databases, without the proxies that the services use. */
  order: string;
  product: string;
}

/**
 * Waits until all requests and jobs have ended, and compares both databases with the responses that buyers got.
 * @returns lost orders, and what does not add up, as texts
 */
export async function checkSums(
  { order, product }: Databases,
  seen: Pick<Seen, 'accepted'>,
  products: number[],
) {
  const [orderDb, productDb] = [openPool(order), openPool(product)];
  try {
    await until('nothing is under way', async () => (await underWay(orderDb, productDb)) === 0, QUIET_WITHIN);
    const begin = new Date(0);
    const [orders, held, stock] = await Promise.all([
      ordersOf(orderDb, EVERYBODY),
      notReleased(productDb, begin),
      unbalanced(productDb, products, begin),
    ]);
    const placed = new Set(orders.flatMap(({ id, placement }) => (placement === 'PLACED' ? [id] : [])));
    return {
      placed: placed.size,
      lost: seen.accepted.filter((id) => !placed.has(id)),
      violations: [...stock, ...checkReservations(orders, held), ...checkOrders(orders)],
    };
  } finally {
    await Promise.all([orderDb.end(), productDb.end()]);
  }
}

export type Sums = Awaited<ReturnType<typeof checkSums>>;

function openPool(connectionString: string): Pool {
  const pool = new Pool({ connectionString, max: 2, connectionTimeoutMillis: 20_000 });
  pool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
