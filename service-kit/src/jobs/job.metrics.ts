import { Counter, Gauge, type Registry } from 'prom-client';
import type { QueueRepository } from './queue.repository.ts';

/** Gauges are read from the database on request: 0 for a task without jobs, missing while the database is unavailable. */
export function createJobMetrics(registry: Registry, queue: QueueRepository, tasks: string[]) {
  const registers = [registry];
  const labelNames = ['task'] as const;
  const oldest = new Gauge({
    name: 'jobs_oldest_seconds',
    help: 'Age of the oldest job that is not done, by task',
    labelNames,
    registers,
  });
  new Gauge({
    name: 'jobs_due',
    help: 'Jobs that are due and not done, by task',
    labelNames,
    registers,
    async collect() {
      const states = await queue.states().catch(() => undefined);
      this.reset();
      oldest.reset();
      if (!states) return;
      const idle = tasks.map((task) => ({ task, due: 0, oldest: 0 }));
      for (const { task, due, oldest: age } of [...idle, ...states]) {
        this.set({ task }, due);
        oldest.set({ task }, age);
      }
    },
  });
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
