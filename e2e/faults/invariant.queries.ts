import type { Pool } from 'pg';

/**
 * I1 and I2 in one snapshot: products whose stock is negative, differs from the ledger, or does not equal the restocked
 * units minus the held and confirmed ones. $1: products; $2: reservations made since.
 */
const UNBALANCED = `
  WITH taken AS (
    SELECT (line ->> 'product_id')::int AS id, sum((line ->> 'quantity')::int)::int AS units
      FROM reservations r, jsonb_array_elements(r.lines) line
     WHERE r.status IN ('HELD', 'CONFIRMED') AND r.created_at >= $2 GROUP BY 1
  ), ledger AS (
    SELECT product_id AS id, sum(delta)::int AS total,
           coalesce(sum(delta) FILTER (WHERE reference IS NULL), 0)::int AS brought
      FROM stock_movements WHERE product_id = ANY ($1::int[]) GROUP BY 1
  )
  SELECT p.id, p.stock, ledger.total, ledger.brought, coalesce(taken.units, 0) AS taken
    FROM products p LEFT JOIN ledger USING (id) LEFT JOIN taken USING (id)
   WHERE p.id = ANY ($1::int[])
     AND (p.stock < 0 OR ledger.total IS DISTINCT FROM p.stock
          OR ledger.brought IS DISTINCT FROM p.stock + coalesce(taken.units, 0))`;

export interface PlacedOrder {
  id: number;
  user_id: number;
  placement: string;
  status: string | null;
  reservation_id: string;
  total_minor: string | null;
  note: string;
  lines: { product_id: number; quantity: number; price_minor: number }[];
  history: { from_status: string | null; to_status: string }[];
}

const ORDERS = `
  SELECT o.id, o.user_id, o.placement, o.status, o.reservation_id, o.total_minor, o.note,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('product_id', product_id, 'quantity', quantity,
                                                       'price_minor', price_minor) ORDER BY product_id), '[]')
            FROM order_lines WHERE order_id = o.id) AS lines,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('from_status', from_status, 'to_status', to_status)
                                    ORDER BY id), '[]')
            FROM order_status_changes WHERE order_id = o.id) AS history
    FROM orders o WHERE o.user_id = ANY ($1::int[]) ORDER BY o.id`;

export interface HeldReservation {
  id: string;
  lines: { product_id: number; quantity: number; price_minor: number }[];
}

const NOT_RELEASED = `
  SELECT r.id, (SELECT jsonb_agg(jsonb_build_object('product_id', line -> 'product_id', 'quantity', line -> 'quantity',
                                                    'price_minor', line -> 'price_minor') ORDER BY line -> 'product_id')
                  FROM jsonb_array_elements(r.lines) line) AS lines
    FROM reservations r WHERE r.status <> 'RELEASED' AND r.created_at >= $1 ORDER BY r.id`;

export const unbalanced = async (db: Pool, productIds: number[], since: Date): Promise<string[]> =>
  (await db.query(UNBALANCED, [productIds, since])).rows.map((row) => `I1/I2 broken: ${JSON.stringify(row)}`);

export const ordersOf = async (db: Pool, userIds: number[]): Promise<PlacedOrder[]> =>
  (await db.query(ORDERS, [userIds])).rows;

export const notReleased = async (db: Pool, since: Date): Promise<HeldReservation[]> =>
  (await db.query(NOT_RELEASED, [since])).rows;

/** Counts of unfinished work; all are 0 when the shop has settled. */
export async function underWay(orderDb: Pool, productDb: Pool): Promise<number> {
  const [orders, reservations] = await Promise.all([
    orderDb.query(`SELECT (SELECT count(*) FROM orders WHERE placement = 'PLACING')
                        + (SELECT count(*) FROM graphile_worker.jobs) AS open`),
    productDb.query(`SELECT count(*) AS open FROM reservations WHERE status = 'HELD'`),
  ]);
  return Number(orders.rows[0].open) + Number(reservations.rows[0].open);
}
