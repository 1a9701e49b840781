import type { Query } from '@shop/service-kit/postgres/query';
import { Counter, Gauge, type Registry } from 'prom-client';

export type PlacementMetrics = ReturnType<typeof createPlacementMetrics>;

interface PlacementMetricsOptions {
  registry: Registry;
  query: Query;
  /** Whether calls to product-service fail at once. */
  isDown: () => boolean;
}

/** The gauges are read when they are asked for; the jobs are missing while the database is away. */
export function createPlacementMetrics({ registry, query, isDown }: PlacementMetricsOptions) {
  const registers = [registry];
  new Gauge({
    name: 'product_service_circuit_open',
    help: '1 while calls to product-service fail without being tried',
    registers,
    collect() {
      this.set(isDown() ? 1 : 0);
    },
  });
  new Gauge({
    name: 'jobs_waiting',
    help: 'Jobs that are not done yet, by task',
    labelNames: ['task'],
    registers,
    async collect() {
      const rows = await query<{ task: string; count: number }[]>`
        SELECT task_identifier AS task, count(*)::int AS count FROM graphile_worker.jobs GROUP BY 1`.catch(
        () => [],
      );
      this.reset();
      for (const { task, count } of rows) this.set({ task }, count);
    },
  });
  return {
    outcomes: new Counter({
      name: 'order_placements_total',
      help: 'Orders by outcome: placed, rejected, unavailable (given up), reconciled (left behind and cleaned up)',
      labelNames: ['outcome'],
      registers,
    }),
  };
}
