import { atMost, withinTime, withOwnTime } from '@shop/service-kit/deadline/deadline';
import { createTurns } from '@shop/service-kit/deadline/turns';
import type { AppError } from '@shop/service-kit/errors/app-error';
import type { User } from '@shop/service-kit/http/principal';
import { toProblem } from '@shop/service-kit/http/problem';
import type { Money } from '@shop/service-kit/money/money';
import type { UserCache } from '@shop/service-kit/redis/user-cache';
import type { Logger } from 'pino';
import type { ProductClient } from '../clients/product.client.ts';
import { ProductBusy, ProductServiceUnavailable } from '../clients/product.errors.ts';
import type { Reservation, ReservedLine } from '../clients/product.response.schemas.ts';
import type { OrderRequest } from '../orders/order.schemas.ts';
import { hashOf, quoteOf, refusalOf, refusalOfTotal, totalOf } from './order.request.ts';
import { createPlacementBatches } from './placement.batches.ts';
import { IdempotencyInFlight, IdempotencyMismatch, notPlaced } from './placement.errors.ts';
import type { PlacementMetrics } from './placement.metrics.ts';
import {
  type ClaimedKey,
  decisionOf,
  type Intent,
  type KeyName,
  type StoredResponse,
} from './placement.records.ts';
import type { PlacementRepository } from './placement.repository.ts';
import { createPlacedBody } from './placement.response.ts';
import { newReservationId } from './reservation.id.ts';

/**
 * Orders that one process may be placing at the same time, and baskets that it may be quoting. They wait for each other in
 * the batches.
 */
const MAX_RUNNING = 2000;
/** Milliseconds before the request's deadline at which the steps end, so that there is time to abandon the order. */
const ABANDON_TIME = 200;
/** Milliseconds before the end of its key's lease at which a request must have ended. */
const BEFORE_LEASE = 100;

export interface PlacementOptions {
  placements: PlacementRepository;
  products: ProductClient;
  money: Money;
  metrics: PlacementMetrics;
  /** The cache of the buyers' orders, which must not store any while an order is being placed. */
  cache: Pick<UserCache, 'whilePreparing'>;
  logger: Logger;
  /** Seconds that one request may work on a keyed order before a retry may continue it. */
  lease: number;
  /** Orders that may be placed at the same time, and quotes; further ones are refused. */
  maxRunning?: number;
  /** Milliseconds that new orders wait for others, for tests without a clock. */
  gatherFor?: number | undefined;
  /** Multiplies the time for abandoning an order; 1 in production. */
  timeLimitFactor?: number | undefined;
}

export interface PlaceOrder extends KeyName {
  /** The role of the buyer. */
  role: User['role'];
  request: OrderRequest;
  requestId: string;
  /** For the jobs that it causes. */
  traceparent?: string | undefined;
  /** Adds fields to the log line of the request. */
  note?: (fields: { order_id: number }) => void;
}

/** A response of `POST /api/orders`, as bytes that can be replayed. */
export interface PlacementResponse extends StoredResponse {
  replayed: boolean;
}

/** Places orders across two databases; the order row alone decides (docs/order-placement.md). */
export function createPlacementUseCases({
  placements,
  products,
  money,
  metrics,
  cache,
  logger,
  lease,
  maxRunning = MAX_RUNNING,
  gatherFor,
  timeLimitFactor = 1,
}: PlacementOptions) {
  const batches = createPlacementBatches({ placements, products, metrics, logger, gatherFor });
  const bound = { concurrency: maxRunning, maxWaiting: 0, maxWait: 0 };
  const [placing, quoting] = [createTurns(bound), createTurns(bound)];
  const bodyOf = createPlacedBody(money);

  /** Intent, reserve, place, respond. */
  async function placeOrder(order: PlaceOrder): Promise<PlacementResponse> {
    if (products.isDown()) return respondWithoutProducts(order);
    // A retry may continue the order as soon as the lease ends.
    const beforeLease = order.key === null ? Number.POSITIVE_INFINITY : lease * 1000 - BEFORE_LEASE;
    const limit = Math.min(beforeLease, atMost(Number.POSITIVE_INFINITY) - ABANDON_TIME * timeLimitFactor);
    return placing(() => withinTime(limit, () => takeSteps(order)));
  }

  async function takeSteps(order: PlaceOrder): Promise<PlacementResponse> {
    const claim = await claimIntent(order);
    order.note?.({ order_id: 'status' in claim ? claim.orderId : claim.id });
    if ('status' in claim) return { ...claim, replayed: true };
    return cache.whilePreparing([order.userId], async (begun) => {
      const reserved = reserve(claim, order).then((reservation) => begun().then(() => reservation));
      return finish(claim, order, await reserved.catch(giveUp(claim, order)));
    });
  }

  /** Step 3, or a rejection instead. */
  async function finish(
    claim: Intent,
    order: PlaceOrder,
    reservation: Reservation,
  ): Promise<PlacementResponse> {
    const { lines, status } = reservation;
    if (lines === null || status === 'RELEASED') return refuse(claim, order, reservation);
    const changed = refusalOfTotal(order.request, lines, money);
    return changed === undefined ? place(claim, order, lines) : reject(claim, order, changed, true);
  }

  /** The stored response while product-service is known to be down. @throws ProductServiceUnavailable without one */
  async function respondWithoutProducts(order: PlaceOrder): Promise<PlacementResponse> {
    const stored = await findResponse(order);
    if (stored === undefined) throw new ProductServiceUnavailable('circuit is open');
    return stored;
  }

  /** The stored response of the key, if there is one. @throws IdempotencyMismatch */
  async function findResponse(order: PlaceOrder): Promise<PlacementResponse | undefined> {
    const claimed = order.key === null ? null : await placements.findKey(order);
    if (claimed === null || claimed.response === null) return undefined;
    return { ...replayOf(claimed, hashOf(order.request)), replayed: true };
  }

  /** Step 1: a new order, the order of a crashed request, or the stored response of the key. */
  async function claimIntent(order: PlaceOrder): Promise<Intent | StoredResponse> {
    const requestHash = order.key === null ? '' : hashOf(order.request);
    const wanted = { ...order, requestHash, reservationId: newReservationId(), currency: money.currency };
    const intent = await batches.insertIntent(wanted);
    if (intent !== null) return intent;
    const claimed = await placements.findKey(order);
    // Freed since the insert, because the first request abandoned its order. The client may retry.
    if (claimed === null) throw new IdempotencyInFlight(1);
    if (claimed.response !== null || claimed.requestHash !== requestHash)
      return replayOf(claimed, requestHash);
    const resumed = claimed.leaseSeconds > 0 ? null : await placements.resumeIntent(wanted);
    if (resumed === null) throw new IdempotencyInFlight(Math.max(1, claimed.leaseSeconds));
    return resumed;
  }

  function replayOf(claimed: ClaimedKey, requestHash: string): StoredResponse {
    if (claimed.requestHash !== requestHash) throw new IdempotencyMismatch();
    if (claimed.response === null) throw new IdempotencyInFlight(Math.max(1, claimed.leaseSeconds));
    return claimed.response;
  }

  /** Step 2. @throws ProductBusy */
  async function reserve(
    { id: orderId, reservationId }: Intent,
    { request, requestId }: PlaceOrder,
  ): Promise<Reservation> {
    const reservation = await batches.reserve({ orderId, reservationId, items: request.products, requestId });
    if (reservation.status === 'BUSY') throw new ProductBusy();
    if (reservation.status === 'MISMATCH')
      throw new ProductServiceUnavailable('the reservation id belongs to other items');
    return reservation;
  }

  /** Step 3 for a reserved basket. */
  async function place(intent: Intent, order: PlaceOrder, lines: ReservedLine[]): Promise<PlacementResponse> {
    const response = { status: 201, body: bodyOf(intent, order, lines), orderId: intent.id };
    const placed = await batches
      .place({ ...decisionOf(intent, order), lines, total: totalOf(lines), response })
      .catch(async (error) => {
        // It is unknown whether the statement was committed: abandoning the order settles this.
        if (await abandon(intent, order).catch(() => false)) return true;
        throw error;
      });
    if (!placed) return decidedElsewhere(order);
    metrics.outcomes.inc({ outcome: 'placed' });
    return { ...response, replayed: false };
  }

  /** The items could not be reserved, or the reservation was already released. */
  function refuse(intent: Intent, order: PlaceOrder, reservation: Reservation): Promise<PlacementResponse> {
    if (reservation.refusal === null) return decidedElsewhere(order);
    return reject(intent, order, refusalOf(reservation.refusal), false);
  }

  async function reject(
    intent: Intent,
    order: PlaceOrder,
    error: AppError,
    held: boolean,
  ): Promise<PlacementResponse> {
    const body = JSON.stringify(toProblem(error, order.requestId));
    const response = { status: error.status, body, orderId: intent.id };
    const decision = decisionOf(intent, order);
    const rejection = { ...decision, response, release: held };
    const rejected = await batches.reject(rejection).catch(giveUp(intent, order));
    if (!rejected) return decidedElsewhere(order);
    metrics.outcomes.inc({ outcome: 'rejected' });
    if (held) await products.release(decision).catch(() => undefined);
    return { ...response, replayed: false };
  }

  /** For an order decided by a retry with the same key, whose response is returned, or by the reconciler. */
  async function decidedElsewhere(order: PlaceOrder): Promise<PlacementResponse> {
    const stored = await findResponse(order);
    if (stored === undefined) throw notPlaced();
    return stored;
  }

  /** If it fails, the reconciler finds the order at its deadline. @returns whether the order had been placed after all */
  async function abandon(intent: Intent, order: PlaceOrder): Promise<boolean> {
    const decision = decisionOf(intent, order);
    const isPlaced = await withOwnTime(ABANDON_TIME * timeLimitFactor, () => batches.abandon(decision));
    if (!isPlaced) metrics.outcomes.inc({ outcome: 'unavailable' });
    return isPlaced;
  }

  /** For a failed step: abandons the order, so that no stock stays reserved until its deadline. */
  const giveUp = (intent: Intent, order: PlaceOrder) => async (error: unknown) => {
    await abandon(intent, order).catch(() => undefined);
    throw error;
  };

  return {
    /**
     * Returns a final response: 201, or a refusal for a business reason; a key replays both.
     * @throws ProductServiceUnavailable, ProductBusy, Busy and Unavailable (503, nothing is reserved), IdempotencyMismatch,
     * IdempotencyInFlight
     */
    placeOrder,

    /**
     * The current price of the basket. Reserves nothing.
     * @throws ProductNotFound, InsufficientStock, PriceChanged, ProductServiceUnavailable, Busy and Unavailable
     */
    async quoteOrder(request: OrderRequest, requestId: string) {
      const quote = await quoting(() => batches.quote({ items: request.products, requestId }));
      if (quote.refusal !== null) throw refusalOf(quote.refusal);
      const changed = refusalOfTotal(request, quote.lines, money);
      if (changed !== undefined) throw changed;
      return quoteOf(quote.lines, money);
    },
  };
}

export type PlacementUseCases = ReturnType<typeof createPlacementUseCases>;
