import type { Task } from '@shop/service-kit/jobs/job-runner';
import type { PeriodicTask } from '@shop/service-kit/jobs/start-jobs';
import { bulkhead } from 'cockatiel';
import DataLoader from 'dataloader';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import type { ProductClient } from '../clients/product.client.ts';
import type { ReconcileUseCases } from './reconcile.use-cases.ts';

/**
 * Jobs of this process that run at once. Most confirm an order: those wait for each other for a moment and go to
 * product-service together, which costs it one request and one statement for all.
 */
export const JOBS_AT_ONCE = 100;
/** Milliseconds. */
const CONFIRM_WITHIN = 20;
/** Releases of this process that run at once: orders have the right of way. */
const RELEASES = 2;
/** Milliseconds. */
const CLEANUP_INTERVAL = 60_000;

const payload = z.object({ reservation_id: z.uuid() });

/** Both may run any number of times: product-service does nothing twice. */
export function placementTasks(products: ProductClient, logger: Logger): Record<string, Task> {
  const confirmation = new DataLoader<string, boolean>(
    async (ids) => {
      const confirmed = await products.confirm([...ids], uuidv7());
      return ids.map((id) => confirmed.has(id));
    },
    { cache: false, maxBatchSize: JOBS_AT_ONCE, batchScheduleFn: (send) => setTimeout(send, CONFIRM_WITHIN) },
  );
  const releases = bulkhead(RELEASES, Number.POSITIVE_INFINITY);
  return {
    async confirm_reservation(input) {
      const { reservation_id } = payload.parse(input);
      // A cancelled order's reservation is released before its confirm job ran: nothing is left to confirm.
      if (!(await confirmation.load(reservation_id))) {
        logger.info({ reservation_id }, 'reservation was released before it was confirmed');
      }
    },
    async release_reservation(input) {
      const { reservation_id } = payload.parse(input);
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
