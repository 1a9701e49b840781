import type { TimeKey, Window } from '@shop/service-kit/http/paging';
import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import type { OrderFilter } from './order.filter.ts';

/** Everybody's orders between two times, in the order of time: by id, a page would pass all newer orders. Index: orders_by_time. */
export function createTimedOrders(query: Query) {
  const given = (value: unknown, condition: Prisma.Sql) => (value === undefined ? [] : [condition]);

  return {
    /** Ids, newest first, one more than the window has. */
    async list(
      { status, from, to }: OrderFilter,
      { limit, offset, after }: Window<TimeKey>,
    ): Promise<number[]> {
      const conditions = [
        Prisma.sql`placement = 'PLACED'`,
        ...given(status, Prisma.sql`status = ${status}::text`),
        ...given(from, Prisma.sql`created_at >= ${from}::timestamptz`),
        ...given(to, Prisma.sql`created_at <= ${to}::timestamptz`),
        ...given(after, Prisma.sql`(created_at, id) < (${after?.[0]}::timestamptz, ${after?.[1]}::int)`),
      ];
      const rows = await query<{ id: number }[]>`
        SELECT id FROM orders WHERE ${Prisma.join(conditions, ' AND ')}
         ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}::int OFFSET ${offset}::int`;
      return rows.map(({ id }) => id);
    },
  };
}
