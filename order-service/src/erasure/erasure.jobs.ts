import type { ReadChanges } from '@shop/service-kit/accounts/account-changes';
import { createErasure } from '@shop/service-kit/accounts/erasure';
import type { Query } from '@shop/service-kit/postgres/query';
import type { UserCache } from '@shop/service-kit/redis/user-cache';
import { FINAL_STATUSES } from '../orders/order.status.ts';

interface OrderErasureOptions {
  query: Query;
  readChanges: ReadChanges | undefined;
  /** The cache of the buyers' orders. */
  cache: Pick<UserCache, 'whileChanging'>;
}

/** Erases name, address, phone and note of a deleted user from finished orders; open orders are erased when they finish. */
export function createOrderErasure({ query, readChanges, cache }: OrderErasureOptions) {
  const eraseBatch = async (userId: number, after: number, size: number): Promise<number[]> => {
    // All are locked, so that an order that finishes at this moment is either seen here or sees the deletion itself.
    const rows = await query<{ id: number }[]>`
      WITH mine AS (
        SELECT id, status, placement FROM orders
         WHERE user_id = ${userId}::int AND (shipping_address IS NOT NULL OR note IS NOT NULL) AND id > ${after}::int
         ORDER BY id LIMIT ${size}::int FOR UPDATE
      ), erased AS (
        UPDATE orders o SET shipping_address = NULL, note = NULL FROM mine
         WHERE o.id = mine.id AND (mine.status = ANY (${FINAL_STATUSES}::text[]) OR mine.placement = 'REJECTED')
        RETURNING o.id
      ), responses AS MATERIALIZED (SELECT erase_stored_response(id)::text FROM erased)
      SELECT id, (SELECT count(*) FROM responses)::int AS responses FROM mine ORDER BY id`;
    return rows.map(({ id }) => id);
  };
  return createErasure({
    readChanges,
    query,
    eraseBatch: (userId, after, size) => cache.whileChanging([userId], () => eraseBatch(userId, after, size)),
  });
}
