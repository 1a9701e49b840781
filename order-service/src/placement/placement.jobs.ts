import { randomUUID } from 'node:crypto';
import { createTurns } from '@shop/service-kit/deadline/turns';
import type { Task } from '@shop/service-kit/jobs/job-runner';
import type { PeriodicTask } from '@shop/service-kit/jobs/start-jobs';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { ProductClient } from '../clients/product.client.ts';
import { createBatcher } from './batcher.ts';
import type { CompareUseCases } from './compare.use-cases.ts';
import type { ReconcileUseCases } from './reconcile.use-cases.ts';

/** Jobs that this process runs in parallel. */
export const PARALLEL_JOBS = 20;
/** Reservations that product-service confirms in one call. */
const MOST_CONFIRMED = 500;
/** Releases run two at a time, because orders have priority. One that waits longer is a job again. Milliseconds. */
const RELEASES = { concurrency: 2, maxWaiting: PARALLEL_JOBS, maxWait: 60_000 };
/** Milliseconds. */
const CLEANUP_INTERVAL = 60_000;

/** Jobs written by earlier releases have neither orders nor requests. */
const one = z.object({
  reservation_id: z.uuid(),
  order_id: z.int().optional(),
  request_id: z.string().nullish(),
});
const many = z.object({
  reservation_ids: z.array(z.uuid()),
  order_ids: z.array(z.int()).default([]),
  request_ids: z.array(z.string()).default([]),
});

/** All may run any number of times: product-service does nothing twice. */
export function placementTasks(products: ProductClient, logger: Logger): Record<string, Task> {
  const releaseInTurn = createTurns(RELEASES);
  /** Jobs that were fetched together share one call. */
  const confirm = createBatcher<z.output<typeof many>, void>({
    name: 'confirm',
    async run(jobs) {
      const ids = jobs.flatMap((job) => job.reservation_ids);
      const requests = new Set(jobs.flatMap((job) => job.request_ids));
      const [requestId] = requests;
      const confirmed = await products.confirm({
        reservationIds: ids,
        orderIds: jobs.flatMap((job) => job.order_ids),
        requestId: requests.size === 1 && requestId !== undefined ? requestId : randomUUID(),
      });
      // The reservation of a cancelled order may be released before its confirm job runs.
      const released = ids.filter((id) => !confirmed.has(id));
      if (released.length > 0)
        logger.info({ reservation_ids: released }, 'reservations were released before they were confirmed');
      return jobs.map(() => undefined);
    },
    most: { items: PARALLEL_JOBS, weight: MOST_CONFIRMED },
    weightOf: (job) => job.reservation_ids.length,
    least: 0,
  });
  return {
    async confirm_reservations(input) {
      await confirm(many.parse(input));
    },
    /** Written by older releases, which confirm one order at a time, possibly in a replica that is still running. */
    async confirm_reservation(input) {
      await confirm(many.parse({ reservation_ids: [one.parse(input).reservation_id] }));
    },
    async release_reservation(input) {
      const { reservation_id: reservationId, order_id: orderId, request_id } = one.parse(input);
      const requestId = request_id ?? randomUUID();
      await releaseInTurn(() => products.release({ reservationId, orderId, requestId }));
    },
  };
}

interface Intervals {
  /** Milliseconds. */
  RECONCILE_INTERVAL: number;
  ANTI_ENTROPY_INTERVAL: number;
  COMPARE_INTERVAL: number;
  /** Seconds. */
  COMPARE_WINDOW: number;
}

export function placementPeriodic(
  { reconcile, healReservations, removeKeys, removeRejected }: ReconcileUseCases,
  { compareSince }: CompareUseCases,
  intervals: Intervals,
): Record<string, PeriodicTask> {
  return {
    reconcile: { every: intervals.RECONCILE_INTERVAL, run: reconcile },
    heal_reservations: { every: intervals.ANTI_ENTROPY_INTERVAL, run: healReservations },
    compare_databases: {
      every: intervals.COMPARE_INTERVAL,
      // A large shop may need longer than the interval.
      alone: true,
      run: (signal) => compareSince(new Date(Date.now() - intervals.COMPARE_WINDOW * 1000), { signal }),
    },
    remove_keys: { every: CLEANUP_INTERVAL, run: removeKeys },
    remove_rejected_orders: { every: CLEANUP_INTERVAL, run: removeRejected },
  };
}
