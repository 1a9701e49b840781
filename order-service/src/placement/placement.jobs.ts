import type { Task } from '@shop/service-kit/jobs/job-runner';
import type { PeriodicTask } from '@shop/service-kit/jobs/start-jobs';
import { bulkhead } from 'cockatiel';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { ProductClient } from '../clients/product.client.ts';
import { createBatcher } from './batcher.ts';
import type { ReconcileUseCases } from './reconcile.use-cases.ts';

/** Jobs of this process that run at once. */
export const JOBS_AT_ONCE = 20;
/** Reservations that product-service confirms in one call. */
const MOST_CONFIRMED = 500;
/** Releases of this process that run at once: orders have the right of way. */
const RELEASES = 2;
/** Milliseconds. */
const CLEANUP_INTERVAL = 60_000;

const one = z.object({ reservation_id: z.uuid() });
const many = z.object({ reservation_ids: z.array(z.uuid()) });

/** All may run any number of times: product-service does nothing twice. */
export function placementTasks(products: ProductClient, logger: Logger): Record<string, Task> {
  const releases = bulkhead(RELEASES, Number.POSITIVE_INFINITY);
  /** Jobs that were fetched together share one call. */
  const confirm = createBatcher<string[], void>({
    async run(jobs) {
      const ids = jobs.flat();
      const confirmed = await products.confirm(ids, uuidv7());
      // A cancelled order's reservation is released before its confirm job ran: nothing is left to confirm.
      const released = ids.filter((id) => !confirmed.has(id));
      if (released.length > 0)
        logger.info({ reservation_ids: released }, 'reservations were released before they were confirmed');
      return jobs.map(() => undefined);
    },
    most: { items: JOBS_AT_ONCE, weight: MOST_CONFIRMED },
    weightOf: (ids) => ids.length,
    least: 0,
  });
  return {
    async confirm_reservations(input) {
      await confirm(many.parse(input).reservation_ids);
    },
    /** Written by releases that place one order at a time, also by replicas beside this one. */
    async confirm_reservation(input) {
      await confirm([one.parse(input).reservation_id]);
    },
    async release_reservation(input) {
      const { reservation_id } = one.parse(input);
      await releases.execute(() => products.release(reservation_id, uuidv7()));
    },
  };
}

/** @param intervals in milliseconds */
export function placementPeriodic(
  { reconcile, healReservations, cleanUp }: ReconcileUseCases,
  intervals: { RECONCILE_INTERVAL: number; ANTI_ENTROPY_INTERVAL: number },
): Record<string, PeriodicTask> {
  return {
    reconcile: { every: intervals.RECONCILE_INTERVAL, run: reconcile },
    heal_reservations: { every: intervals.ANTI_ENTROPY_INTERVAL, run: healReservations },
    clean_up: { every: CLEANUP_INTERVAL, run: cleanUp },
  };
}
