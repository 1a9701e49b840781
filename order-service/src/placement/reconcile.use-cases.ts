import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { ProductClient } from '../clients/product.client.ts';
import type { PlacementMetrics } from './placement.metrics.ts';
import type { ReconcileRepository, ReservationFate } from './reconcile.repository.ts';

interface ReconcileOptions {
  repository: ReconcileRepository;
  products: ProductClient;
  metrics: PlacementMetrics;
  logger: Logger;
  /** Seconds after which a reservation that is only held is asked about. */
  heldTooLong: number;
}

/** Brings both databases together again after something died (order-placement.md, "What cleans up"). */
export function createReconcileUseCases({
  repository,
  products,
  metrics,
  logger,
  heldTooLong,
}: ReconcileOptions) {
  return {
    /** Rejects orders past their deadline, and keeps the queue from waiting too long. */
    async reconcile(): Promise<void> {
      const rejected = await repository.rejectOverdue();
      metrics.outcomes.inc({ outcome: 'reconciled' }, rejected);
      if (rejected > 0) logger.warn({ orders: rejected }, 'orders were left behind and are rejected now');
      await repository.hurryJobs();
    },

    /** Compares what product-service holds with the orders, so that even a restored backup heals. */
    async healReservations(): Promise<void> {
      const requestId = uuidv7();
      const held = await products.listHeld(heldTooLong, requestId);
      const fates = held.length === 0 ? new Map<string, ReservationFate>() : await repository.fatesOf(held);
      const idsOf = (fate: ReservationFate) => [...fates].flatMap(([id, its]) => (its === fate ? [id] : []));
      const standing = idsOf('confirm');
      if (standing.length > 0) await products.confirm(standing, requestId);
      for (const id of idsOf('release')) await products.release(id, requestId);
      if (fates.size > 0)
        logger.warn({ reservations: fates.size, request_id: requestId }, 'reservations held too long');
      await repository.forgetOld();
    },
  };
}
