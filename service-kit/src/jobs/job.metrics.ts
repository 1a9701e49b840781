import { Counter, Gauge, type Registry } from 'prom-client';
import type { QueueRepository } from './queue.repository.ts';

/** What is read from the database when it is asked for is missing while the database is away. */
export function createJobMetrics(registry: Registry, queue: QueueRepository) {
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
    help: 'Jobs that are not done and whose time has come, by task',
    labelNames,
    registers,
    async collect() {
      const states = await queue.states().catch(() => []);
      this.reset();
      oldest.reset();
      for (const { task, due, oldest: age } of states) {
        this.set({ task }, due);
        oldest.set({ task }, age);
      }
    },
  });
  return {
    failures: new Counter({
      name: 'job_failures_total',
      help: 'Attempts of jobs and turns of periodic tasks that failed',
      labelNames,
      registers,
    }),
    lastFetch: new Gauge({
      name: 'jobs_last_fetch_timestamp_seconds',
      help: 'When this process last looked for jobs successfully, in seconds since 1970',
      registers,
    }),
  };
}

export type JobMetrics = ReturnType<typeof createJobMetrics>;
