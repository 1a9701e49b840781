import { MOST_COUNTED, type TimeKey, type Window } from '@shop/service-kit/http/paging';
import type { Query } from '@shop/service-kit/postgres/query';
import type { PrismaClient } from '../generated/prisma/client.ts';
import type { OrderFilter } from './order.filter.ts';
import type { OrderStatus } from './order.status.ts';
import { createSoldOrders } from './sold-orders.ts';
import { createTimedOrders } from './timed-orders.ts';

export interface Order {
  id: number;
  userId: number;
  status: OrderStatus;
  reservationId: string;
  totalMinor: bigint;
  currency: string;
  shippingAddress: unknown;
  note: string | null;
  createdAt: Date;
  updatedAt: Date;
  lines: { productId: number; name: string; priceMinor: bigint; quantity: number; sellerId: number }[];
}

/** The orders of one buyer in one status; a status without orders is missing. */
export interface OrderStats {
  status: OrderStatus;
  orders: number;
  totalMinor: bigint;
}

interface StatusChange {
  id: number;
  from: OrderStatus;
  to: OrderStatus;
  actor: string;
  /** Of the request, for the job that it causes. */
  requestId?: string;
  traceparent?: string | undefined;
}

const LINES = { lines: { orderBy: { productId: 'asc' } } } as const;

/** Placed orders. Orders that are being placed or were rejected are invisible here. */
export function createOrderRepository(db: PrismaClient, query: Query) {
  const placed = ({ userId, status, from, to }: OrderFilter) => ({
    placement: 'PLACED',
    ...(userId === undefined ? {} : { userId }),
    ...(status === undefined ? {} : { status }),
    ...(from === undefined && to === undefined
      ? {}
      : { createdAt: { ...(from && { gte: from }), ...(to && { lte: to }) } }),
  });

  const sold = createSoldOrders(query);
  const timed = createTimedOrders(query);
  const withLines = async (ids: number[]): Promise<Order[]> => {
    const rows = (await db.order.findMany({ where: { id: { in: ids } }, include: LINES })) as Order[];
    const byId = new Map(rows.map((order) => [order.id, order]));
    return ids.flatMap((id) => byId.get(id) ?? []);
  };

  return {
    async find(id: number): Promise<Order | null> {
      return (await db.order.findFirst({
        where: { id, placement: 'PLACED' },
        include: LINES,
      })) as Order | null;
    },

    /**
     * Newest first, one more than the window has. Indexes: orders_of_user(_in_status), orders_all(_by_status),
     * order_lines_of_seller
     */
    async list(filter: OrderFilter, window: Window<readonly [number]>): Promise<Order[]> {
      const { limit, offset, after } = window;
      if (filter.sellerId !== undefined) return withLines(await sold.list(filter, window));
      const where = { ...placed(filter), ...(after === undefined ? {} : { id: { lt: after[0] } }) };
      const rows = await db.order.findMany({
        where,
        include: LINES,
        orderBy: { id: 'desc' },
        take: limit + 1,
        skip: offset,
      });
      return rows as Order[];
    },

    /** Everybody's orders, in the order of time, newest first, one more than the window has. */
    listByTime: async (filter: OrderFilter, window: Window<TimeKey>): Promise<Order[]> =>
      withLines(await timed.list(filter, window)),

    /** Up to MOST_COUNTED. Index: orders_by_time between two times. */
    count: (filter: OrderFilter): Promise<number> =>
      filter.sellerId === undefined
        ? db.order.count({ where: placed(filter), take: MOST_COUNTED })
        : sold.count(filter),

    /** Index: orders_of_user_in_status, which contains all that is read. */
    async stats(userId: number): Promise<OrderStats[]> {
      const rows = await query<{ status: OrderStatus; orders: number; total: string }[]>`
        SELECT status, count(*)::int AS orders, sum(total_minor)::text AS total
          FROM orders WHERE user_id = ${userId}::int AND placement = 'PLACED' GROUP BY status`;
      return rows.map(({ status, orders, total }) => ({ status, orders, totalMinor: BigInt(total) }));
    },

    history: (orderId: number) =>
      db.orderStatusChange.findMany({ where: { orderId }, orderBy: { id: 'asc' } }),

    /**
     * One statement: the status, its history, and for a cancelled order the job that returns the stock.
     * @returns false if the status is no longer `from`
     */
    async changeStatus({ id, from, to, actor, requestId, traceparent }: StatusChange): Promise<boolean> {
      const cancelled = to === 'cancelled';
      const rows = await query<{ count: number }[]>`
        WITH changed AS (
          UPDATE orders SET status = ${to}, updated_at = now()
           WHERE id = ${id}::int AND placement = 'PLACED' AND status = ${from}
          RETURNING id, reservation_id
        ), history AS (
          INSERT INTO order_status_changes (order_id, from_status, to_status, actor)
          SELECT id, ${from}, ${to}, ${actor} FROM changed
        ), job AS MATERIALIZED (
          SELECT jobs.add('release_reservation', json_build_object(
                   'reservation_id', reservation_id, 'order_id', id, 'request_id', ${requestId ?? null}::text,
                   'traceparent', ${traceparent ?? null}::text))
            FROM changed WHERE ${cancelled}
        )
        SELECT (SELECT count(*) FROM changed)::int AS count, (SELECT count(*) FROM job)::int AS jobs`;
      return rows[0]?.count === 1;
    },
  };
}

export type OrderRepository = ReturnType<typeof createOrderRepository>;
