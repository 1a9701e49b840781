import type { Query } from '../postgres/query.ts';

export interface TaskState {
  task: string;
  /** Jobs that are due and not done. */
  due: number;
  /** Age of the oldest unfinished job in seconds. */
  oldest: number;
}

/** Our own statements on graphile-worker's tables. */
export function createQueueRepository(query: Query) {
  return {
    /**
     * Claims the current run of a periodic task; runs begin every so many milliseconds of the database's clock.
     * @returns true for exactly one of all replicas
     */
    async takeTurn(task: string, every: number): Promise<boolean> {
      const rows = await query`
        INSERT INTO jobs.turns (task, taken)
        VALUES (${task}, date_bin(make_interval(secs => ${every / 1000}::float8), now(), 'epoch'))
        ON CONFLICT (task) DO UPDATE SET taken = excluded.taken WHERE turns.taken <> excluded.taken
        RETURNING task`;
      return rows.length === 1;
    },

    /**
     * Claims a task that must not run twice at the same time, for so many seconds: the claim of a killed process ends then.
     * @returns false while another process has it
     */
    async claimRun(task: string, seconds: number): Promise<boolean> {
      const rows = await query`
        INSERT INTO jobs.turns (task, taken)
        VALUES (${runOf(task)}, now() + make_interval(secs => ${seconds}::float8))
        ON CONFLICT (task) DO UPDATE SET taken = excluded.taken WHERE turns.taken < now()
        RETURNING task`;
      return rows.length === 1;
    },

    /** Lets a claim end in so many seconds. */
    async extendRun(task: string, seconds: number): Promise<void> {
      await query`
        UPDATE jobs.turns SET taken = now() + make_interval(secs => ${seconds}::float8) WHERE task = ${runOf(task)}`;
    },

    /** Shortens the waits between attempts, which grow to hours in graphile-worker, to at most this many seconds. */
    async shortenWaits(longest: number): Promise<void> {
      await query`
        SELECT graphile_worker.reschedule_jobs(array_agg(id), run_at => now() + make_interval(secs => ${longest}::int))::text
          FROM graphile_worker.jobs
         WHERE attempts > 0 AND locked_at IS NULL AND run_at > now() + make_interval(secs => ${longest}::int)
        HAVING count(*) > 0`;
    },

    /** Releases the jobs of killed workers: those locked for more seconds than a job may run. */
    async freeAbandoned(after: number): Promise<void> {
      await query`
        SELECT graphile_worker.force_unlock_workers(array_agg(DISTINCT locked_by))::text
          FROM graphile_worker.jobs WHERE locked_at < now() - make_interval(secs => ${after}::int)
        HAVING count(*) > 0`;
    },

    states: (): Promise<TaskState[]> => query`
      SELECT task_identifier AS task, count(*) FILTER (WHERE run_at <= now())::int AS due,
             extract(epoch FROM now() - min(created_at))::float8 AS oldest
        FROM graphile_worker.jobs GROUP BY 1`,
  };
}

/** The row of a claim: its time is the end. */
const runOf = (task: string) => `${task}: running`;

export type QueueRepository = ReturnType<typeof createQueueRepository>;
