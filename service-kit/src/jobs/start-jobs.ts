import type { Query } from '../postgres/query.ts';
import { type DatabaseAddresses, directUrlOf } from '../runtime/config.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { createJobMetrics } from './job.metrics.ts';
import { type RunnerOptions, startRunner } from './job-runner.ts';
import { createQueueRepository } from './queue.repository.ts';
import { repeat } from './repeat.ts';

/** Work that one of all replicas does every `every` milliseconds. It may overlap with itself if it takes longer. */
export interface PeriodicTask {
  every: number;
  /** @param signal aborts at a stop */
  run: (signal: AbortSignal) => Promise<unknown>;
}

interface JobsOptions extends RunnerOptions {
  config: DatabaseAddresses & { JOB_MAX_BACKOFF: number; JOB_ABANDONED_AFTER: number };
  /** Of the same database. */
  query: Query;
  metrics: Pick<Metrics, 'registry'>;
  periodic?: Record<string, PeriodicTask>;
}

/** Milliseconds between two checks for jobs that wait too long or belong to a killed worker. */
const MAINTENANCE_INTERVAL = 5000;

/**
 * Runs a service's jobs and periodic tasks in this process, sharing them with all other replicas. A job is written by
 * `SELECT jobs.add('task', payload)` in the transaction that causes it. It runs after the commit, at least once, until it
 * succeeds.
 */
export function startJobs(options: JobsOptions) {
  const { config, query, logger, tasks, statements, periodic = {} } = options;
  const { JOB_MAX_BACKOFF: longestWait, JOB_ABANDONED_AFTER: abandonedAfter } = config;
  const databaseUrl = directUrlOf(config);
  const queue = createQueueRepository(query);
  const names = Object.keys({ ...tasks, ...statements });
  const metrics = createJobMetrics(options.metrics.registry, queue, [...names, ...Object.keys(periodic)]);
  const stopping = new AbortController();

  const takeTurn = async (task: string, { every, run }: PeriodicTask) => {
    try {
      if (await queue.takeTurn(task, every)) await run(stopping.signal);
    } catch (error) {
      metrics.failures.inc({ task });
      throw error;
    }
  };
  const maintain = async () => {
    await queue.shortenWaits(longestWait);
    await queue.freeAbandoned(abandonedAfter);
  };
  const repeated = [
    repeat('job queue maintenance', Math.min(MAINTENANCE_INTERVAL, longestWait * 1000), maintain, logger),
    ...Object.entries(periodic).map(([task, it]) => repeat(task, it.every, () => takeTurn(task, it), logger)),
  ];
  // graphile-worker refuses to run without a task.
  const runner = names.length === 0 ? undefined : startRunner(databaseUrl, metrics, options);
  return {
    async close() {
      stopping.abort();
      await Promise.all([runner?.close(), ...repeated.map((one) => one.close())]);
    },
  };
}

export type Jobs = ReturnType<typeof startJobs>;
