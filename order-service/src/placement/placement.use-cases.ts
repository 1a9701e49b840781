import { atMost, withinTime, withOwnTime } from '@shop/service-kit/deadline/deadline';
import type { AppError } from '@shop/service-kit/errors/app-error';
import { Busy } from '@shop/service-kit/errors/http-errors';
import { toProblem } from '@shop/service-kit/http/problem';
import type { User } from '@shop/service-kit/http/request-context';
import type { Money } from '@shop/service-kit/money/money';
import type { UserCache } from '@shop/service-kit/redis/user-cache';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { ProductClient } from '../clients/product.client.ts';
import { ProductBusy, ProductServiceUnavailable } from '../clients/product.errors.ts';
import type { Reservation, ReservedLine } from '../clients/product.response.schemas.ts';
import type { OrderRequest } from '../orders/order.schemas.ts';
import { hashOf, quoteOf, refusalOf, refusalOfTotal, totalOf } from './order.request.ts';
import { createPlacementBatches } from './placement.batches.ts';
import { IdempotencyInFlight, IdempotencyMismatch, notPlaced } from './placement.errors.ts';
import type { PlacementMetrics } from './placement.metrics.ts';
import type { ClaimedKey, Intent, KeyName, StoredResponse } from './placement.records.ts';
import type { PlacementRepository } from './placement.repository.ts';
import { createPlacedBody } from './placement.response.ts';

/** Orders of this process that are being placed. They wait for each other in the batches, each as long as it has time. */
const MOST_AT_ONCE = 2000;
/** What giving up may take, in milliseconds: the steps end so much before the request's deadline. */
const GIVE_UP_WITHIN = 200;
/** How long before the end of its key's lease a request must be over, in milliseconds. */
const BEFORE_LEASE = 100;

interface PlacementOptions {
  placements: PlacementRepository;
  products: ProductClient;
  money: Money;
  metrics: PlacementMetrics;
  /** Of what buyers see of their orders: informed while one is placed. */
  cache: Pick<UserCache, 'whileChanging'>;
  logger: Logger;
  /** Seconds that one request may work on a keyed order before a retry carries it on. */
  lease: number;
  /** Multiplies the time for giving up; 1 in production. */
  timeLimitFactor?: number | undefined;
}

export interface PlaceOrder extends KeyName {
  /** The buyer's. */
  role: User['role'];
  request: OrderRequest;
  requestId: string;
  /** Called with what the log line of the request should name. */
  note?: (fields: { order_id: number }) => void;
}

/** A response of `POST /api/orders`, as bytes that can be sent again. */
export interface PlacementResponse extends StoredResponse {
  replayed: boolean;
}

/** Placing an order across two databases; the order row alone decides (order-placement.md). */
export function createPlacementUseCases({
  placements,
  products,
  money,
  metrics,
  cache,
  logger,
  lease,
  timeLimitFactor = 1,
}: PlacementOptions) {
  const batches = createPlacementBatches({ placements, products, metrics, cache, logger });
  let underWay = 0;

  const bodyOf = createPlacedBody(money);

  /** Intent, reserve, place, respond. */
  async function placeOrder(order: PlaceOrder): Promise<PlacementResponse> {
    if (products.isDown()) return respondWithoutProducts(order);
    // A retry may carry the order on from the end of the lease.
    const beforeLease = order.key === null ? Number.POSITIVE_INFINITY : lease * 1000 - BEFORE_LEASE;
    const limit = Math.min(beforeLease, atMost(Number.POSITIVE_INFINITY) - GIVE_UP_WITHIN * timeLimitFactor);
    if (underWay >= MOST_AT_ONCE) throw new Busy();
    underWay += 1;
    return withinTime(limit, () => takeSteps(order)).finally(() => {
      underWay -= 1;
    });
  }

  async function takeSteps(order: PlaceOrder): Promise<PlacementResponse> {
    const claim = await claimIntent(order);
    order.note?.({ order_id: 'status' in claim ? claim.orderId : claim.id });
    if ('status' in claim) return { ...claim, replayed: true };
    const reservation = await reserve(claim, order).catch(async (error: unknown) => {
      // Without a response of step 2 the order is given up, so that nothing stays held until its deadline.
      await giveUp(claim, order);
      throw error;
    });
    return finish(claim, order, reservation);
  }

  /** Step 3, or what takes its place. */
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

  /** While product-service is known to be away: a stored response. @throws ProductServiceUnavailable without one */
  async function respondWithoutProducts(order: PlaceOrder): Promise<PlacementResponse> {
    const stored = await findResponse(order);
    if (stored === undefined) throw new ProductServiceUnavailable('circuit is open');
    return stored;
  }

  /** The response that the key replays, if there is one yet. @throws IdempotencyMismatch */
  async function findResponse(order: PlaceOrder): Promise<PlacementResponse | undefined> {
    const claimed = order.key === null ? null : await placements.findKey(order);
    if (claimed === null || claimed.response === null) return undefined;
    return { ...replayOf(claimed, hashOf(order.request)), replayed: true };
  }

  /** Step 1: a new order, the one that a crashed request left behind, or the stored response of the key. */
  async function claimIntent(order: PlaceOrder): Promise<Intent | StoredResponse> {
    const requestHash = order.key === null ? '' : hashOf(order.request);
    const wanted = { ...order, requestHash, reservationId: uuidv7(), currency: money.currency };
    const intent = await batches.insertIntent(wanted);
    if (intent !== null) return intent;
    const claimed = await placements.findKey(order);
    // Freed since the insert: the first request gave up. The client may simply try again.
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
      throw new ProductServiceUnavailable('the id stands for other items');
    return reservation;
  }

  /** Step 3 for a basket that is available. */
  async function place(intent: Intent, order: PlaceOrder, lines: ReservedLine[]): Promise<PlacementResponse> {
    const response = { status: 201, body: bodyOf(intent, order, lines), orderId: intent.id };
    const { requestId } = order;
    const placed = await batches
      .place({ intent, by: order, lines, total: totalOf(lines), response, requestId, orderId: intent.id })
      .catch(async (error) => {
        // The statement may have been committed or not: the row decides, once nobody can commit it any more.
        const decided = await cache
          .whileChanging([order.userId], () => abandon(intent, order))
          .catch(() => 'UNKNOWN');
        if (decided === 'PLACED') return true;
        throw error;
      });
    if (!placed) return afterSomebodyElse(order);
    metrics.outcomes.inc({ outcome: 'placed' });
    return { ...response, replayed: false };
  }

  /** Nothing could be taken, or the reservation was released before it could be used. */
  function refuse(intent: Intent, order: PlaceOrder, reservation: Reservation): Promise<PlacementResponse> {
    if (reservation.refusal === null) return afterSomebodyElse(order);
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
    const { requestId } = order;
    const rejected = await batches.reject({
      intent,
      by: order,
      response,
      release: held,
      requestId,
      orderId: intent.id,
    });
    if (!rejected) return afterSomebodyElse(order);
    metrics.outcomes.inc({ outcome: 'rejected' });
    if (held) {
      const { id: orderId, reservationId } = intent;
      await products.release({ reservationId, orderId, requestId }).catch(() => undefined);
    }
    return { ...response, replayed: false };
  }

  /** The order was decided elsewhere: by a retry with the same key, whose response is returned, or by the reconciler. */
  async function afterSomebodyElse(order: PlaceOrder): Promise<PlacementResponse> {
    const stored = await findResponse(order);
    if (stored === undefined) throw notPlaced();
    return stored;
  }

  const abandon = (intent: Intent, order: PlaceOrder) =>
    withOwnTime(GIVE_UP_WITHIN * timeLimitFactor, () => placements.abandon(intent, order));

  async function giveUp(intent: Intent, order: PlaceOrder): Promise<void> {
    // Best effort: without the database now, the reconciler finds the order at its deadline.
    await abandon(intent, order).catch(() => undefined);
    metrics.outcomes.inc({ outcome: 'unavailable' });
  }

  return {
    /**
     * Without an error the response is final: 201, or a refusal for a reason of business, which a key replays.
     * @throws ProductServiceUnavailable, ProductBusy, Busy and Unavailable 503 with nothing held, IdempotencyMismatch, IdempotencyInFlight
     */
    placeOrder,

    /** What the basket costs now. Holds nothing. @throws ProductNotFound, InsufficientStock, PriceChanged */
    async quoteOrder(request: OrderRequest, requestId: string) {
      const quote = await batches.quote({ items: request.products, requestId });
      if (quote.refusal !== null) throw refusalOf(quote.refusal);
      const changed = refusalOfTotal(request, quote.lines, money);
      if (changed !== undefined) throw changed;
      return quoteOf(quote.lines, money);
    },
  };
}

export type PlacementUseCases = ReturnType<typeof createPlacementUseCases>;
