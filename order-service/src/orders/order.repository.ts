import { MOST_COUNTED, type Window } from '@shop/service-kit/http/paging';
import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma, type PrismaClient } from '../generated/prisma/client.ts';
import type { OrderStatus } from './order.status.ts';
import { createSoldOrders } from './sold-orders.ts';

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

/** Counters of one buyer; `spentMinor` excludes cancelled orders. */
export type OrderStats = Record<OrderStatus, number> & { spentMinor: bigint };

export interface OrderFilter {
  /** If missing, all buyers. */
  userId?: number | undefined;
  /** Orders with a line of this seller. */
  sellerId?: number | undefined;
  status?: OrderStatus | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
}

interface StatusChange {
  id: number;
  from: OrderStatus;
  to: OrderStatus;
  actor: string;
  /** Of the request, for the job that it causes. */
  requestId?: string;
}

const LINES = { lines: { orderBy: { productId: 'asc' } } } as const;

const columnOf: Record<OrderStatus, Prisma.Sql> = {
  pending: Prisma.sql`pending`,
  processing: Prisma.sql`processing`,
  shipped: Prisma.sql`shipped`,
  delivered: Prisma.sql`delivered`,
  cancelled: Prisma.sql`cancelled`,
};

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
  const withLines = async (ids: number[]): Promise<Order[]> =>
    (await db.order.findMany({
      where: { id: { in: ids } },
      include: LINES,
      orderBy: { id: 'desc' },
    })) as Order[];

  return {
    async find(id: number): Promise<Order | null> {
      return (await db.order.findFirst({
        where: { id, placement: 'PLACED' },
        include: LINES,
      })) as Order | null;
    },

    /**
     * Newest first, one more than the window has. Indexes: orders_of_user(_by_status), orders_all(_by_status),
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

    /** Up to MOST_COUNTED. Index: orders_by_time between two times. */
    count: (filter: OrderFilter): Promise<number> =>
      filter.sellerId === undefined
        ? db.order.count({ where: placed(filter), take: MOST_COUNTED })
        : sold.count(filter),

    async stats(userId: number): Promise<OrderStats> {
      const row = await db.orderStats.findUnique({ where: { userId }, omit: { userId: true } });
      return row ?? { pending: 0, processing: 0, shipped: 0, delivered: 0, cancelled: 0, spentMinor: 0n };
    },

    history: (orderId: number) =>
      db.orderStatusChange.findMany({ where: { orderId }, orderBy: { id: 'asc' } }),

    /**
     * One statement: the status, its history, the buyer's counters, and for a cancelled order the job that returns the
     * stock. @returns false if the status is no longer `from`
     */
    async changeStatus({ id, from, to, actor, requestId }: StatusChange): Promise<boolean> {
      const cancelled = to === 'cancelled';
      const rows = await query<{ count: number }[]>`
        WITH changed AS (
          UPDATE orders SET status = ${to}, updated_at = now()
           WHERE id = ${id}::int AND placement = 'PLACED' AND status = ${from}
          RETURNING id, user_id, total_minor, reservation_id
        ), history AS (
          INSERT INTO order_status_changes (order_id, from_status, to_status, actor)
          SELECT id, ${from}, ${to}, ${actor} FROM changed
        ), counted AS (
          UPDATE order_stats s
             SET ${columnOf[from]} = s.${columnOf[from]} - 1, ${columnOf[to]} = s.${columnOf[to]} + 1,
                 spent_minor = s.spent_minor - CASE WHEN ${cancelled} THEN changed.total_minor ELSE 0 END
            FROM changed WHERE s.user_id = changed.user_id
        ), job AS MATERIALIZED (
          SELECT jobs.add('release_reservation', json_build_object(
                   'reservation_id', reservation_id, 'order_id', id, 'request_id', ${requestId ?? null}::text))
            FROM changed WHERE ${cancelled}
        )
        SELECT (SELECT count(*) FROM changed)::int AS count, (SELECT count(*) FROM job)::int AS jobs`;
      return rows[0]?.count === 1;
    },
  };
}

export type OrderRepository = ReturnType<typeof createOrderRepository>;
