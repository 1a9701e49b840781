import { Prisma } from '../generated/prisma/client.ts';
import type { OrderStatus } from './order.status.ts';

/** Which placed orders a list has. */
export interface OrderFilter {
  /** If missing, all buyers. */
  userId?: number | undefined;
  /** Orders with a line of this seller. */
  sellerId?: number | undefined;
  status?: OrderStatus | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
}

const NONE = Prisma.sql`TRUE`;

/**
 * The tables of a filter, with the orders as `o`. Those of a seller are distinct ids in the order of the index
 * order_lines_of_seller, so that a page costs the same at any depth.
 * @param before only orders with smaller ids
 */
export function ordersOf({ sellerId }: OrderFilter, before?: number): Prisma.Sql {
  if (sellerId === undefined) return Prisma.sql`orders o`;
  return Prisma.sql`(
    SELECT DISTINCT order_id FROM order_lines
     WHERE seller_id = ${sellerId}::int AND ${before === undefined ? NONE : Prisma.sql`order_id < ${before}::int`}
     ORDER BY order_id DESC) AS sold JOIN orders o ON o.id = sold.order_id`;
}

/** The condition of a filter on the orders `o`. It never matches orders that are being placed or were rejected. */
export function matching({ userId, status, from, to }: OrderFilter): Prisma.Sql {
  const conditions = [
    Prisma.sql`o.placement = 'PLACED'`,
    userId !== undefined && Prisma.sql`o.user_id = ${userId}::int`,
    status !== undefined && Prisma.sql`o.status = ${status}::text`,
    from !== undefined && Prisma.sql`o.created_at >= ${from}::timestamptz`,
    to !== undefined && Prisma.sql`o.created_at <= ${to}::timestamptz`,
  ];
  return Prisma.join(
    conditions.filter((condition) => condition !== false),
    ' AND ',
  );
}
