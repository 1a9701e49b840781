import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type PlacementMetrics = ReturnType<typeof createPlacementMetrics>;

interface PlacementMetricsOptions {
  registry: Registry;
  /** Whether calls to product-service fail immediately. */
  isDown: () => boolean;
}

export function createPlacementMetrics({ registry, isDown }: PlacementMetricsOptions) {
  const registers = [registry];
  new Gauge({
    name: 'product_service_circuit_open',
    help: '1 while calls to product-service fail without being attempted',
    registers,
    collect() {
      this.set(isDown() ? 1 : 0);
    },
  });
  const queues = new Map<string, () => number>();
  new Gauge({
    name: 'placement_queue_length',
    help: 'Requests that wait in this process for their turn in a step of a placement, by step',
    labelNames: ['step'],
    registers,
    collect() {
      for (const [step, length] of queues) this.set({ step }, length());
    },
  });
  return {
    /** @param length how many requests wait for the step now */
    watchQueue: (step: string, length: () => number) => void queues.set(step, length),
    outcomes: new Counter({
      name: 'order_placements_total',
      help: 'Orders by outcome: placed, rejected, unavailable (abandoned), reconciled (left undecided and rejected later)',
      labelNames: ['outcome'],
      registers,
    }),
    batchSize: new Histogram({
      name: 'placement_batch_size',
      help: 'Requests per batch by step: intent, reserve, wait (for locked products), place, reject, abandon, quote',
      labelNames: ['step'],
      buckets: [1, 2, 5, 10, 20, 50, 100],
      registers,
    }),
    unhealed: new Counter({
      name: 'reservations_unhealed_total',
      help: 'Reservations held too long that could be neither confirmed nor released; retried in the next run',
      registers,
    }),
  };
}
