import type { Query } from '@shop/service-kit/postgres/query';

/** What must happen to a reservation, according to its order; without an order it is released. */
export type ReservationFate = 'keep' | 'confirm' | 'release';

/** Keys are kept for at least 24 h (docs/order-placement.md), and rejected orders as long, for investigations. */
const KEPT_HOURS = 48;

/** Statements of the cleanup; any number of replicas may run them at the same time. */
export function createReconcileRepository(query: Query) {
  return {
    /** Rejects the oldest orders past their deadline, and adds jobs that release their stock. @returns their ids. Index: orders_undecided */
    async rejectOverdue(limit: number): Promise<number[]> {
      const rows = await query<{ id: number }[]>`
        WITH overdue AS (
          SELECT id FROM orders WHERE placement = 'PLACING' AND deadline < now()
           ORDER BY deadline LIMIT ${limit}::int FOR UPDATE SKIP LOCKED
        ), rejected AS (
          UPDATE orders SET placement = 'REJECTED', updated_at = now()
            FROM overdue WHERE orders.id = overdue.id RETURNING orders.id, orders.reservation_id
        ), job AS MATERIALIZED (
          SELECT jobs.add('release_reservation', json_build_object('reservation_id', reservation_id, 'order_id', id))
            FROM rejected
        )
        SELECT id FROM rejected WHERE (SELECT count(*) FROM job) > 0`;
      return rows.map(({ id }) => id);
    },

    /** The fate of each of these reservations. Index: orders_reservation_id_key */
    async fatesOf(reservationIds: string[]): Promise<Map<string, ReservationFate>> {
      const rows = await query<{ id: string; fate: ReservationFate }[]>`
        SELECT asked.id, CASE
                 WHEN o.placement = 'PLACING' THEN 'keep'
                 WHEN o.placement = 'PLACED' AND o.status <> 'cancelled' THEN 'confirm'
                 ELSE 'release' END AS fate
          FROM unnest(${reservationIds}::uuid[]) AS asked (id) LEFT JOIN orders o ON o.reservation_id = asked.id`;
      return new Map(rows.map((row) => [row.id, row.fate]));
    },

    /** Deletes the oldest expired keys; their orders stay. @returns how many. Index: idempotency_keys_created_at_idx */
    async removeKeys(limit: number): Promise<number> {
      const rows = await query`
        DELETE FROM idempotency_keys WHERE ctid IN (
          SELECT ctid FROM idempotency_keys WHERE created_at < now() - make_interval(hours => ${KEPT_HOURS}::int)
           ORDER BY created_at LIMIT ${limit}::int FOR UPDATE SKIP LOCKED) RETURNING 1`;
      return rows.length;
    },

    /** Deletes the oldest of the orders rejected days ago. @returns how many. Index: orders_rejected */
    async removeRejected(limit: number): Promise<number> {
      const rows = await query`
        DELETE FROM orders WHERE id IN (
          SELECT id FROM orders
           WHERE placement = 'REJECTED' AND created_at < now() - make_interval(hours => ${KEPT_HOURS + 24}::int)
           ORDER BY created_at LIMIT ${limit}::int FOR UPDATE SKIP LOCKED) RETURNING 1`;
      return rows.length;
    },
  };
}

export type ReconcileRepository = ReturnType<typeof createReconcileRepository>;
