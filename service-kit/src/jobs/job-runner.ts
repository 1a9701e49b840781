import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger as QueueLogger, run, type TaskList, type WorkerEvents } from 'graphile-worker';
import type { Logger } from 'pino';
import { openPool } from '../postgres/open-pool.ts';
import { poolSettings } from '../postgres/pool-settings.ts';
import { createQuery, type Query } from '../postgres/query.ts';
import { spanOfJob } from '../tracing/entry.spans.ts';
import { inSpan, type Tracer } from '../tracing/span.ts';
import type { JobMetrics } from './job.metrics.ts';

/** Must end early, with an error, when the signal aborts: at a stop, or after `JOB_TIMEOUT`. May run twice in parallel. */
export type Task = (payload: unknown, signal: AbortSignal) => Promise<unknown>;

export interface RunnerOptions {
  /** By the name passed to `jobs.add`. */
  tasks?: Record<string, Task>;
  /** Jobs that are one SQL statement, which may take 10 s, by the same name. */
  statements?: Record<string, string>;
  /** Jobs that this process runs in parallel. */
  concurrency?: number;
  logger: Logger;
  /** If missing, nothing is traced. */
  tracer?: Tracer | undefined;
  /** Milliseconds without a successful fetch after which the queue is restarted. */
  stalledAfter?: number;
}

/** One connection listens for new jobs; the others fetch jobs and report their results. */
const CONNECTIONS = 3;
/** Milliseconds, far less than `JOB_ABANDONED_AFTER`. */
const JOB_TIMEOUT = 20_000;
/** How often jobs are fetched without a notification, in milliseconds. */
const POLL_INTERVAL = 1000;
/** How long a fetch waits for more jobs when there are few, in milliseconds. */
const GATHER = 100;
/** How long results are gathered before they are reported together, in milliseconds. */
const REPORT_WITHIN = 20;
const RESTART_DELAY = 1000;
/** Milliseconds that running jobs get at a stop before their signal aborts, and before they are abandoned. */
const STOP_TIMEOUT = 2000;
const ABANDON_TIMEOUT = 4000;

/**
 * Runs the jobs of a database until it is closed. graphile-worker can stop fetching jobs without ending: it caches a failed
 * first look-up of task names, and after two failed reports it waits for itself forever (graphile/worker issue 636). So it
 * is watched and restarted.
 */
export function startRunner(databaseUrl: string, metrics: JobMetrics, options: RunnerOptions) {
  const { tasks, statements = {}, concurrency = 10, logger, tracer, stalledAfter = 30_000 } = options;
  // No request waits for these statements, so a busy database may take longer.
  const timeouts = { connectionTimeoutMillis: 10_000, query_timeout: 10_000, statement_timeout: 10_000 };
  const pool = openPool({ ...poolSettings(databaseUrl, CONNECTIONS), ...timeouts });
  pool.on('error', (error) => logger.warn({ reason: error.message }, 'job connection lost'));
  const closing = new AbortController();

  const runOnce = async () => {
    const events: WorkerEvents = new EventEmitter();
    const life = watch(events, stalledAfter, metrics);
    try {
      const runner = await run({
        events,
        pgPool: pool,
        taskList: toTaskList({ ...tasks, ...asTasks(statements, createQuery(pool)) }, logger, tracer),
        noHandleSignals: true,
        preset: {
          worker: {
            concurrentJobs: concurrency,
            pollInterval: POLL_INTERVAL,
            localQueue: {
              size: concurrency,
              refetchDelay: { durationMs: GATHER, threshold: concurrency - 1 },
            },
            // Without a delay the queue awaits neither, and a database that dies at that moment would end the process.
            completeJobBatchDelay: REPORT_WITHIN,
            failJobBatchDelay: REPORT_WITHIN,
            gracefulShutdownAbortTimeout: STOP_TIMEOUT,
          },
        },
        logger: quietLogger(logger),
      });
      await Promise.race([runner.promise, life.lost, aborted(closing.signal)]);
      await Promise.race([
        runner.stop().catch(() => undefined),
        sleep(ABANDON_TIMEOUT, undefined, { ref: false }),
      ]);
    } finally {
      life.unwatch();
    }
  };
  const runUntilClosed = async () => {
    while (!closing.signal.aborted) {
      await runOnce().catch((error: unknown) => logger.warn({ err: error }, 'job queue ended'));
      await sleep(RESTART_DELAY, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  };
  const ended = runUntilClosed();
  return {
    /** Gives running jobs a moment to finish; the others run elsewhere or later. */
    async close() {
      closing.abort();
      await ended;
      await pool.end();
    },
  };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** `lost` resolves when the queue has shut down by itself or no longer fetches jobs. */
function watch(events: WorkerEvents, stalledAfter: number, metrics: JobMetrics) {
  let lastSign = performance.now();
  const onSign = () => {
    lastSign = performance.now();
  };
  events.on('localQueue:getJobs:complete', onSign);
  events.on('localQueue:getJobs:complete', () => metrics.lastFetch.setToCurrentTime());
  // While all workers are busy it fetches no more.
  events.on('job:start', onSign);
  events.on('job:error', ({ job }) => metrics.failures.inc({ task: job.task_identifier }));
  let timer: NodeJS.Timeout | undefined;
  const lost = new Promise<void>((resolve) => {
    events.once('pool:gracefulShutdown:complete', () => resolve());
    events.once('pool:gracefulShutdown:error', () => resolve());
    const check = () => performance.now() - lastSign > stalledAfter && resolve();
    timer = setInterval(check, stalledAfter / 10);
  });
  return { lost, unwatch: () => clearInterval(timer) };
}

const asTasks = (statements: Record<string, string>, query: Query): Record<string, Task> =>
  Object.fromEntries(Object.entries(statements).map(([name, sql]) => [name, () => query([sql])]));

function toTaskList(tasks: Record<string, Task>, logger: Logger, tracer: Tracer | undefined): TaskList {
  const entries = Object.entries(tasks).map(([name, task]): [string, TaskList[string]] => [
    name,
    async (payload, { abortSignal, job }) => {
      const startedAt = performance.now();
      const span = spanOfJob(tracer, name, payload);
      const ids = { ...idsOf(payload), ...(span && { trace_id: span.traceId }) };
      const line = () => ({
        task: name,
        job_id: job.id,
        attempt: job.attempts,
        ms: Math.round((performance.now() - startedAt) * 10) / 10,
        ...ids,
      });
      try {
        const signal = AbortSignal.any([abortSignal, AbortSignal.timeout(JOB_TIMEOUT)]);
        await inSpan(span, () => task(payload, signal));
        span?.end(idsOf(payload));
      } catch (error) {
        span?.end(idsOf(payload), error);
        logger.warn({ ...line(), err: error }, 'job attempt failed');
        throw error;
      }
      logger.info(line(), 'job');
    },
  ]);
  return Object.fromEntries(entries);
}

/** What a job is about: the fields of its payload whose names end with `_id` or `_ids`. Others may be personal. */
function idsOf(payload: unknown): Record<string, unknown> {
  const fields = Object.entries((payload ?? {}) as Record<string, unknown>);
  return Object.fromEntries(fields.filter(([name]) => /_ids?$/.test(name)));
}

/** Logs what went wrong in the queue itself; failed attempts are logged by `toTaskList`. */
function quietLogger(logger: Logger): QueueLogger {
  return new QueueLogger(() => (level, message) => {
    if (level === 'error' && !message.startsWith('Failed task'))
      logger.warn({ reason: message }, 'job queue');
  });
}
