import { MOST_COUNTED, type Window } from '@shop/service-kit/http/paging';
import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import type { OrderFilter } from './order.filter.ts';

/** Orders with a line of a seller. Only placed orders have lines. Index: order_lines_of_seller. */
export function createSoldOrders(query: Query) {
  /** Distinct ids, newest first, in the order of the index, so that a page costs the same at any depth. */
  const idsOf = ({ sellerId }: OrderFilter, after?: readonly [number]) => Prisma.sql`
    SELECT DISTINCT order_id FROM order_lines
     WHERE seller_id = ${sellerId}::int
       AND ${after === undefined ? Prisma.sql`TRUE` : Prisma.sql`order_id < ${after[0]}::int`}
     ORDER BY order_id DESC`;
  const matching = ({ status, from, to }: OrderFilter) => Prisma.sql`
    (${status}::text IS NULL OR o.status = ${status}::text)
    AND (${from}::timestamptz IS NULL OR o.created_at >= ${from}::timestamptz)
    AND (${to}::timestamptz IS NULL OR o.created_at <= ${to}::timestamptz)`;

  return {
    /** One more than the window has. */
    async list(filter: OrderFilter, { limit, offset, after }: Window<readonly [number]>): Promise<number[]> {
      const rows = await query<{ id: number }[]>`
        SELECT o.id FROM (${idsOf(filter, after)}) AS sold JOIN orders o ON o.id = sold.order_id
         WHERE ${matching(filter)} ORDER BY o.id DESC LIMIT ${limit + 1}::int OFFSET ${offset}::int`;
      return rows.map(({ id }) => id);
    },

    async count(filter: OrderFilter): Promise<number> {
      const rows = await query<[{ count: number }]>`
        SELECT count(*)::int AS count FROM (
          SELECT FROM (${idsOf(filter)}) AS sold JOIN orders o ON o.id = sold.order_id
           WHERE ${matching(filter)} LIMIT ${MOST_COUNTED}::int) AS counted`;
      return rows[0].count;
    },
  };
}
