import { MOST_COUNTED, type TimeKey, type Window } from '@shop/service-kit/http/paging';
import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import { matching, type OrderFilter, ordersOf } from './order.filter.ts';
import type { OrderStatus } from './order.status.ts';

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
  lines: OrderLine[];
}

interface OrderLine {
  productId: number;
  name: string;
  priceMinor: bigint;
  quantity: number;
  sellerId: number;
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

/** A change that was made, by its time. `fromStatus` is null for the first status. */
interface PastStatus {
  fromStatus: string | null;
  toStatus: string;
  actor: string;
  createdAt: Date;
}

/** Sizes that JSON and `pg` return as text. */
type AsText<T, Field extends keyof T> = Omit<T, Field> & Record<Field, string>;
type OrderRow = AsText<Omit<Order, 'lines'>, 'totalMinor'> & { lines: AsText<OrderLine, 'priceMinor'>[] };

const COLUMNS = Prisma.sql`
  o.id, o.user_id AS "userId", o.status, o.reservation_id AS "reservationId", o.total_minor AS "totalMinor", o.currency,
  o.shipping_address AS "shippingAddress", o.note, o.created_at AS "createdAt", o.updated_at AS "updatedAt",
  (SELECT coalesce(json_agg(json_build_object(
            'productId', product_id, 'name', name, 'priceMinor', price_minor::text, 'quantity', quantity, 'sellerId', seller_id)
            ORDER BY product_id), '[]')
     FROM order_lines WHERE order_id = o.id) AS lines`;

const toOrder = (row: OrderRow): Order => ({
  ...row,
  totalMinor: BigInt(row.totalMinor),
  lines: row.lines.map((line) => ({ ...line, priceMinor: BigInt(line.priceMinor) })),
});

/** Placed orders. Orders that are being placed or were rejected are invisible here. */
export function createOrderRepository(query: Query) {
  /** One more than the window has. Lines are read for these orders only. */
  const page = async (
    { limit, offset }: Pick<Window<never>, 'limit' | 'offset'>,
    orders: Prisma.Sql,
    order: Prisma.Sql,
  ): Promise<Order[]> => {
    const rows = await query<OrderRow[]>`
      SELECT ${COLUMNS} FROM (
        SELECT o.* FROM ${orders} ORDER BY ${order} LIMIT ${limit + 1}::int OFFSET ${offset}::int
      ) AS o ORDER BY ${order}`;
    return rows.map(toOrder);
  };

  return {
    async find(id: number): Promise<Order | undefined> {
      const rows = await query<OrderRow[]>`
        SELECT ${COLUMNS} FROM orders o WHERE o.id = ${id}::int AND o.placement = 'PLACED'`;
      return rows.map(toOrder)[0];
    },

    /** Newest first. Indexes: orders_of_user, orders_of_user_by_status, orders_all, orders_all_by_status, order_lines_of_seller. */
    list(filter: OrderFilter, window: Window<readonly [number]>): Promise<Order[]> {
      const [before] = window.after ?? [];
      const behind = before === undefined ? Prisma.sql`TRUE` : Prisma.sql`o.id < ${before}::int`;
      const orders = Prisma.sql`${ordersOf(filter, before)} WHERE ${matching(filter)} AND ${behind}`;
      return page(window, orders, Prisma.sql`o.id DESC`);
    },

    /** Everybody's, in the order of time, newest first: by id, a page of an old day would pass all newer orders. Index: orders_by_time. */
    listByTime(filter: OrderFilter, window: Window<TimeKey>): Promise<Order[]> {
      const [time, id] = window.after ?? [];
      const behind =
        time === undefined
          ? Prisma.sql`TRUE`
          : Prisma.sql`(o.created_at, o.id) < (${time}::timestamptz, ${id}::int)`;
      const orders = Prisma.sql`orders o WHERE ${matching(filter)} AND ${behind}`;
      return page(window, orders, Prisma.sql`o.created_at DESC, o.id DESC`);
    },

    /** Up to MOST_COUNTED. The same indexes. */
    async count(filter: OrderFilter): Promise<number> {
      const rows = await query<[{ count: number }]>`
        SELECT count(*)::int AS count FROM (
          SELECT FROM ${ordersOf(filter)} WHERE ${matching(filter)} LIMIT ${MOST_COUNTED}::int) AS counted`;
      return rows[0].count;
    },

    /** Index: orders_of_user_in_status, which contains all that is read. */
    async stats(userId: number): Promise<OrderStats[]> {
      const rows = await query<AsText<OrderStats, 'totalMinor'>[]>`
        SELECT status, count(*)::int AS orders, sum(total_minor)::text AS "totalMinor"
          FROM orders WHERE user_id = ${userId}::int AND placement = 'PLACED' GROUP BY status`;
      return rows.map((row) => ({ ...row, totalMinor: BigInt(row.totalMinor) }));
    },

    /** The oldest first. Index: order_status_changes_order_id_id_idx. */
    history: (orderId: number): Promise<PastStatus[]> =>
      query`
        SELECT from_status AS "fromStatus", to_status AS "toStatus", actor, created_at AS "createdAt"
          FROM order_status_changes WHERE order_id = ${orderId}::int ORDER BY id`,

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
