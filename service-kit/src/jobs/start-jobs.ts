import type { Query } from '../postgres/query.ts';
import { type DatabaseAddresses, directUrlOf } from '../runtime/config.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { createJobMetrics } from './job.metrics.ts';
import { type RunnerOptions, startRunner } from './job-runner.ts';
import { createQueueRepository } from './queue.repository.ts';
import { repeat } from './repeat.ts';

/** Work that one of all replicas does every `every` milliseconds. */
export interface PeriodicTask {
  every: number;
  /** A turn that comes while the task is still running is left out. Otherwise they overlap, in different replicas. */
  alone?: boolean;
  /** @param signal aborts at a stop */
  run: (signal: AbortSignal) => Promise<unknown>;
}

interface JobsOptions extends RunnerOptions {
  config: DatabaseAddresses & { JOB_MAX_BACKOFF: number; JOB_ABANDONED_AFTER: number };
  /** Of the same database. */
  query: Query;
  metrics: Pick<Metrics, 'registry'>;
  periodic?: Record<string, PeriodicTask>;
  /** Seconds after which a task that runs alone may run again if its process was killed. */
  claimSeconds?: number;
}

/** Milliseconds between two checks for jobs that wait too long or belong to a killed worker. */
const MAINTENANCE_INTERVAL = 5000;

/**
 * Runs a service's jobs and periodic tasks in this process, sharing them with all other replicas. A job is written by
 * `SELECT jobs.add('task', payload)` in the transaction that causes it. It runs after the commit, at least once, until it
 * succeeds.
 */
export function startJobs(options: JobsOptions) {
  const { config, query, logger, tasks, statements, periodic = {}, claimSeconds = 30 } = options;
  const { JOB_MAX_BACKOFF: longestWait, JOB_ABANDONED_AFTER: abandonedAfter } = config;
  const databaseUrl = directUrlOf(config);
  const queue = createQueueRepository(query);
  const names = Object.keys({ ...tasks, ...statements });
  const metrics = createJobMetrics(options.metrics.registry, queue, [...names, ...Object.keys(periodic)]);
  const stopping = new AbortController();

  const runAlone = async (task: string, run: PeriodicTask['run']) => {
    if (!(await queue.claimRun(task, claimSeconds))) return;
    // A claim that cannot be extended or ended expires by itself.
    const extend = (seconds: number) => queue.extendRun(task, seconds).catch(() => undefined);
    const extending = setInterval(() => void extend(claimSeconds), (claimSeconds * 1000) / 3);
    try {
      await run(stopping.signal);
    } finally {
      clearInterval(extending);
      await extend(0);
    }
  };
  const takeTurn = async (task: string, { every, alone, run }: PeriodicTask) => {
    try {
      if (!(await queue.takeTurn(task, every))) return;
      await (alone ? runAlone(task, run) : run(stopping.signal));
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
  const runner = startRunner(databaseUrl, metrics, options);
  return {
    async close() {
      stopping.abort();
      await Promise.all([runner.close(), ...repeated.map((one) => one.close())]);
    },
  };
}

export type Jobs = ReturnType<typeof startJobs>;
