import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { runMigrations } from 'graphile-worker';
import { NO_LIMITS, onOwnConnection, openPool } from '../postgres/open-pool.ts';

/** An arbitrary lock number: one process at a time installs graphile-worker and the functions below. */
const QUEUE_LOCK = 7_263_002;

/** Milliseconds that one of its steps may take. */
const STEP_TIMEOUT = 600_000;

/**
 * `jobs.add` writes a job in the statement or transaction that causes it, from any client or trigger. A job is tried until it
 * succeeds; graphile-worker's limit is 32,767 attempts. Of several waiting jobs with the same key only the last one runs.
 *
 * Without a key it writes the row that `add_job` would write. `add_job` takes three times as long, because it prepares for
 * keys, queues and new tasks: half of the time of the statement that places an order.
 */
const SQL = `
CREATE SCHEMA IF NOT EXISTS jobs;

CREATE OR REPLACE FUNCTION jobs.add(task TEXT, payload JSON DEFAULT '{}', key TEXT DEFAULT NULL) RETURNS BIGINT
LANGUAGE plpgsql AS $$
DECLARE
  added BIGINT;
BEGIN
  IF key IS NULL THEN
    INSERT INTO graphile_worker._private_jobs (task_id, payload, max_attempts)
    SELECT t.id, coalesce(payload, '{}'), 32767 FROM graphile_worker._private_tasks t WHERE t.identifier = task
    RETURNING id INTO added;
  END IF;
  IF added IS NULL THEN
    SELECT id INTO added FROM graphile_worker.add_job(task, payload, job_key => key, max_attempts => 32767);
  ELSE
    -- Equal notifications of one transaction would arrive as one.
    PERFORM pg_notify('jobs:insert', format('{"r":%s,"count":1}', added));
  END IF;
  RETURN added;
END $$;

-- Which turn of a periodic task was taken last: by the database's clock, for all replicas.
CREATE TABLE IF NOT EXISTS jobs.turns (task TEXT PRIMARY KEY, taken TIMESTAMPTZ NOT NULL);
`;

/** A fingerprint of the installed version: templates made with another one are outdated. */
export const JOB_QUEUE_VERSION = createHash('sha1')
  .update(createRequire(import.meta.url)('graphile-worker/package.json').version + SQL)
  .digest('hex');

/** Installs or updates the job queue. Several processes may call it at the same time. */
export function migrateJobQueue(connectionString: string): Promise<void> {
  return onOwnConnection(connectionString, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [QUEUE_LOCK]);
    const pool = openPool({ connectionString, max: 1, query_timeout: STEP_TIMEOUT, options: NO_LIMITS });
    // graphile-worker asks for it; the statement under way fails as well.
    pool.on('error', () => undefined);
    await runMigrations({ pgPool: pool }).finally(() => pool.end());
    await client.query(SQL);
  });
}
