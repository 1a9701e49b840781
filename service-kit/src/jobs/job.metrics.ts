import { Counter, Gauge, type Registry } from 'prom-client';
import type { QueueRepository, TaskState } from './queue.repository.ts';

/** Gauges are read from the database on request: 0 for a task without jobs, missing while the database is unavailable. */
export function createJobMetrics(registry: Registry, queue: QueueRepository, tasks: string[]) {
  const registers = [registry];
  const labelNames = ['task'] as const;
  // Each reads for itself: prom-client collects all gauges at the same time.
  const gauge = (name: string, help: string, read: (state: TaskState) => number) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      async collect() {
        const states = await queue.states().catch(() => undefined);
        this.reset();
        if (!states) return;
        for (const task of tasks) this.set({ task }, 0);
        for (const state of states) this.set({ task: state.task }, read(state));
      },
    });
  gauge('jobs_oldest_seconds', 'Age of the oldest job that is not done, by task', ({ oldest }) => oldest);
  gauge('jobs_due', 'Jobs that are due and not done, by task', ({ due }) => due);
  const failures = new Counter({
    name: 'job_failures_total',
    help: 'Failed attempts of jobs and failed runs of periodic tasks',
    labelNames,
    registers,
  });
  // From the start, so that the first failure counts as an increase.
  for (const task of tasks) failures.inc({ task }, 0);
  return {
    failures,
    lastFetch: new Gauge({
      name: 'jobs_last_fetch_timestamp_seconds',
      help: 'When this process last fetched jobs successfully, in seconds since 1970',
      registers,
    }),
  };
}

export type JobMetrics = ReturnType<typeof createJobMetrics>;
