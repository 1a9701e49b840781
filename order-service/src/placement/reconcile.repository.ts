import type { Query } from '@shop/service-kit/postgres/query';

/** What an order says about its reservation; without an order it is released. */
export type ReservationFate = 'keep' | 'confirm' | 'release';

/** Orders rejected, and keys and rejected orders forgotten, in one step. */
const BATCH = 100;
/** The queue stops trying only after this many attempts: its largest number. */
const MAX_ATTEMPTS = 32_767;
/** Keys must live at least 24 h (order-placement.md); a rejected order is kept as long, for whoever looks into it. */
const KEPT_HOURS = 48;

interface ReconcileRepositoryOptions {
  query: Query;
  /** Seconds until a failed job is tried again at the latest. */
  jobMaxBackoff: number;
  /** Seconds after which the worker of a job that is not done is taken for killed; a job may run twice. */
  jobAbandonedAfter: number;
}

/** What cleans up; any number of replicas may do it at once. */
export function createReconcileRepository({
  query,
  jobMaxBackoff,
  jobAbandonedAfter,
}: ReconcileRepositoryOptions) {
  return {
    /** Rejects what is past its deadline and announces the release. @returns how many. Index: orders_undecided */
    async rejectOverdue(): Promise<number> {
      const rows = await query<{ count: number }[]>`
        WITH overdue AS (
          SELECT id FROM orders WHERE placement = 'PLACING' AND deadline < now()
           ORDER BY deadline LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
        ), rejected AS (
          UPDATE orders SET placement = 'REJECTED', updated_at = now()
            FROM overdue WHERE orders.id = overdue.id RETURNING orders.reservation_id
        ), job AS MATERIALIZED (
          SELECT graphile_worker.add_job('release_reservation',
            json_build_object('reservation_id', reservation_id), max_attempts => ${MAX_ATTEMPTS}::int) FROM rejected
        )
        SELECT count(*)::int AS count FROM job`;
      return Number(rows[0]?.count);
    },

    /** What to do with each of these reservations. Index: orders_reservation_id_key */
    async fatesOf(reservationIds: string[]): Promise<Map<string, ReservationFate>> {
      const rows = await query<{ id: string; fate: ReservationFate }[]>`
        SELECT asked.id, CASE
                 WHEN o.placement = 'PLACING' THEN 'keep'
                 WHEN o.placement = 'PLACED' AND o.status <> 'cancelled' THEN 'confirm'
                 ELSE 'release' END AS fate
          FROM unnest(${reservationIds}::uuid[]) AS asked (id) LEFT JOIN orders o ON o.reservation_id = asked.id`;
      return new Map(rows.map((row) => [row.id, row.fate]));
    },

    /**
     * The queue backs off for hours and believes a killed worker for four: brings failed jobs forward and frees those
     * of workers that are gone.
     */
    async hurryJobs(): Promise<void> {
      await query`
        SELECT graphile_worker.reschedule_jobs(array_agg(id), run_at => now() + make_interval(secs => ${jobMaxBackoff}::int))::text
          FROM graphile_worker.jobs
         WHERE attempts > 0 AND locked_at IS NULL AND run_at > now() + make_interval(secs => ${jobMaxBackoff}::int)
        HAVING count(*) > 0`;
      await query`
        SELECT graphile_worker.force_unlock_workers(array_agg(DISTINCT locked_by))::text
          FROM graphile_worker.jobs WHERE locked_at < now() - make_interval(secs => ${jobAbandonedAfter}::int)
        HAVING count(*) > 0`;
    },

    /** Forgets old keys and old rejected orders. Indexes: idempotency_keys_created_at_idx, orders_rejected */
    async forgetOld(): Promise<void> {
      await query`
        DELETE FROM idempotency_keys WHERE ctid IN (
          SELECT ctid FROM idempotency_keys WHERE created_at < now() - make_interval(hours => ${KEPT_HOURS}::int)
           ORDER BY created_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`;
      await query`
        DELETE FROM orders WHERE id IN (
          SELECT id FROM orders
           WHERE placement = 'REJECTED' AND created_at < now() - make_interval(hours => ${KEPT_HOURS + 24}::int)
           ORDER BY created_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`;
    },
  };
}

export type ReconcileRepository = ReturnType<typeof createReconcileRepository>;
