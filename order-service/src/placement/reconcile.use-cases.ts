import { randomUUID } from 'node:crypto';
import { inBatches } from '@shop/service-kit/jobs/in-batches';
import type { Logger } from 'pino';
import type { ProductClient } from '../clients/product.client.ts';
import type { Held } from '../clients/product.response.schemas.ts';
import type { PlacementMetrics } from './placement.metrics.ts';
import type { ReconcileRepository, ReservationFate } from './reconcile.repository.ts';

interface ReconcileOptions {
  repository: ReconcileRepository;
  products: ProductClient;
  metrics: PlacementMetrics;
  logger: Logger;
  /** Seconds after which a reservation that is still held is compared with its order. */
  heldTooLong: number;
}

/** Orders rejected in one statement, and in one line of the log. */
const REJECTED_AT_ONCE = 100;

/** Makes both databases agree again after a crash (docs/order-placement.md, "What cleans up"). */
export function createReconcileUseCases({
  repository,
  products,
  metrics,
  logger,
  heldTooLong,
}: ReconcileOptions) {
  /** Runs one of several repairs: a failure is counted and logged, and does not stop the others. */
  const heal = async (reservations: string[], requestId: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      metrics.unhealed.inc(reservations.length);
      logger.error({ err: error, reservations, request_id: requestId }, 'reservations could not be healed');
    }
  };

  const healAll = async (held: string[], requestId: string, signal: AbortSignal) => {
    const fates = await repository.fatesOf(held);
    const idsOf = (fate: ReservationFate) => [...fates].flatMap(([id, its]) => (its === fate ? [id] : []));
    const confirm = (reservationIds: string[]) => products.confirm({ reservationIds, requestId });
    const standing = idsOf('confirm');
    // One that fails must not keep the others held.
    const failed =
      standing.length > 0 &&
      (await confirm(standing).then(
        () => false,
        () => true,
      ));
    for (const id of failed ? standing : []) {
      if (signal.aborted) return;
      await heal([id], requestId, () => confirm([id]));
    }
    for (const id of idsOf('release')) {
      if (signal.aborted) return;
      await heal([id], requestId, () => products.release({ reservationId: id, requestId }));
    }
  };

  const rejectOverdue = async (limit: number): Promise<number> => {
    const rejected = await repository.rejectOverdue(limit);
    metrics.outcomes.inc({ outcome: 'reconciled' }, rejected.length);
    if (rejected.length > 0)
      logger.warn({ order_ids: rejected }, 'orders were left behind and are rejected now');
    return rejected.length;
  };

  return {
    reconcile: (signal: AbortSignal) => inBatches(rejectOverdue, { signal, size: REJECTED_AT_ONCE }),

    /**
     * Compares the held reservations of product-service with the orders, page by page; not the confirmed ones.
     * @param signal ends it after the call in progress: a stop does not wait for a whole page
     */
    async healReservations(signal: AbortSignal): Promise<void> {
      const requestId = randomUUID();
      let last: Held | undefined;
      while (!signal.aborted) {
        const held = await products.listHeld(heldTooLong, requestId, last);
        if (held.length === 0) return;
        logger.warn({ reservations: held.length, request_id: requestId }, 'reservations held too long');
        await healAll(
          held.map(({ id }) => id),
          requestId,
          signal,
        );
        last = held.at(-1);
      }
    },

    removeKeys: (signal: AbortSignal) => inBatches(repository.removeKeys, { signal }),

    /** Deletes all orders rejected days ago. */
    removeRejected: (signal: AbortSignal) => inBatches(repository.removeRejected, { signal }),
  };
}

export type ReconcileUseCases = ReturnType<typeof createReconcileUseCases>;
