import type { AppError } from '@shop/service-kit/errors/app-error';
import { toProblem } from '@shop/service-kit/http/problem';
import type { User } from '@shop/service-kit/http/request-context';
import type { Money } from '@shop/service-kit/money/money';
import type { UserCache } from '@shop/service-kit/redis/user-cache';
import { BulkheadRejectedError, bulkhead } from 'cockatiel';
import { v7 as uuidv7 } from 'uuid';
import type { ProductClient, Reservation, ReservedLine } from '../clients/product.client.ts';
import { ProductServiceUnavailable } from '../clients/product.errors.ts';
import { createOrderResponse } from '../orders/order.response.ts';
import { type OrderRequest, orderWithMessage } from '../orders/order.schemas.ts';
import { hashOf, quoteOf, refusalOf, refusalOfTotal, totalOf } from './order.request.ts';
import { IdempotencyInFlight, IdempotencyMismatch, notPlaced, tooBusy } from './placement.errors.ts';
import type { PlacementMetrics } from './placement.metrics.ts';
import type {
  ClaimedKey,
  Intent,
  KeyName,
  PlacementRepository,
  StoredAnswer,
} from './placement.repository.ts';

/**
 * Orders of this process that are placed at once, and that wait for their turn. So a rush waits in line here, not in the
 * database's pool, whose time limits are for a database that is in trouble.
 */
const CONCURRENCY = 64;
const MAX_WAITING = 2000;

interface PlacementOptions {
  placements: PlacementRepository;
  products: ProductClient;
  money: Money;
  metrics: PlacementMetrics;
  /** Of what buyers see of their orders: must know while one is placed. */
  cache: Pick<UserCache, 'whileChanging'>;
}

export interface PlaceOrder extends KeyName {
  /** The buyer's. */
  role: User['role'];
  request: OrderRequest;
  requestId: string;
}

/** An answer of `POST /api/orders`, as bytes that can be given again. */
export interface PlacementAnswer extends StoredAnswer {
  replayed: boolean;
}

/** Placing an order across two databases; the order row alone decides (order-placement.md). */
export function createPlacementUseCases({ placements, products, money, metrics, cache }: PlacementOptions) {
  const toJson = createOrderResponse(money);

  /** Intent, reserve, place, answer. */
  async function placeOrder(order: PlaceOrder): Promise<PlacementAnswer> {
    if (products.isDown()) return answerWithoutProducts(order);
    const claim = await claimIntent(order);
    if ('status' in claim) return { ...claim, replayed: true };
    const reservation = await reserve(claim, order);
    const { lines, status } = reservation;
    if (lines === null || status === 'RELEASED') return refuse(claim, order, reservation);
    const changed = refusalOfTotal(order.request, lines, money);
    return changed === undefined ? place(claim, order, lines) : reject(claim, order, changed, true);
  }

  /** What can still be said while product-service is known to be away: a stored answer, or that it is away. */
  async function answerWithoutProducts(order: PlaceOrder): Promise<PlacementAnswer> {
    const stored = await findAnswer(order);
    if (stored === undefined) throw new ProductServiceUnavailable('circuit is open');
    return stored;
  }

  /** What the key replays, if there is anything yet. @throws IdempotencyMismatch */
  async function findAnswer(order: PlaceOrder): Promise<PlacementAnswer | undefined> {
    const claimed = order.key === null ? null : await placements.findKey(order);
    if (claimed === null || claimed.answer === null) return undefined;
    return { ...replayOf(claimed, hashOf(order.request)), replayed: true };
  }

  /** Step 1: a new order, the one that a crashed request left behind, or the stored answer of the key. */
  async function claimIntent(order: PlaceOrder): Promise<Intent | StoredAnswer> {
    const requestHash = hashOf(order.request);
    const wanted = { ...order, requestHash, reservationId: uuidv7(), currency: money.currency };
    const intent = await placements.insertIntent(wanted);
    if (intent !== null) return intent;
    const claimed = await placements.findKey(order);
    // Freed since the insert: the first request gave up. The client may simply try again.
    if (claimed === null) throw new IdempotencyInFlight(1);
    if (claimed.answer !== null || claimed.requestHash !== requestHash) return replayOf(claimed, requestHash);
    const resumed = claimed.leaseSeconds > 0 ? null : await placements.resumeIntent(wanted);
    if (resumed === null) throw new IdempotencyInFlight(Math.max(1, claimed.leaseSeconds));
    return resumed;
  }

  function replayOf(claimed: ClaimedKey, requestHash: string): StoredAnswer {
    if (claimed.requestHash !== requestHash) throw new IdempotencyMismatch();
    if (claimed.answer === null) throw new IdempotencyInFlight(Math.max(1, claimed.leaseSeconds));
    return claimed.answer;
  }

  /** Step 2. Without an answer the order is given up, so that nothing stays held until its deadline. */
  async function reserve(intent: Intent, order: PlaceOrder): Promise<Reservation> {
    try {
      return await products.reserve(intent.reservationId, order.request.products, order.requestId);
    } catch (error) {
      await giveUp(intent, order);
      throw error;
    }
  }

  /** Step 3 for a basket that can be had. */
  async function place(intent: Intent, order: PlaceOrder, lines: ReservedLine[]): Promise<PlacementAnswer> {
    const answer = { status: 201, body: createdBody(intent, order, lines) };
    const placed = await cache.whileChanging([order.userId], () =>
      placements.place(intent, order, lines, totalOf(lines), answer).catch(async (error) => {
        // The statement may have been committed or not: the row tells, after nobody can commit it any more.
        if ((await placements.abandon(intent, order).catch(() => 'UNKNOWN')) === 'PLACED') return true;
        throw error;
      }),
    );
    if (!placed) return afterSomebodyElse(order);
    metrics.outcomes.inc({ outcome: 'placed' });
    return { ...answer, replayed: false };
  }

  /** Nothing could be taken, or the reservation was released before it could be used. */
  function refuse(intent: Intent, order: PlaceOrder, reservation: Reservation): Promise<PlacementAnswer> {
    if (reservation.refusal === null) return afterSomebodyElse(order);
    return reject(intent, order, refusalOf(reservation.refusal), false);
  }

  async function reject(
    intent: Intent,
    order: PlaceOrder,
    error: AppError,
    held: boolean,
  ): Promise<PlacementAnswer> {
    const answer = { status: error.status, body: JSON.stringify(toProblem(error, order.requestId)) };
    if (!(await placements.reject(intent, order, answer, held))) return afterSomebodyElse(order);
    metrics.outcomes.inc({ outcome: 'rejected' });
    if (held) await products.release(intent.reservationId, order.requestId).catch(() => undefined);
    return { ...answer, replayed: false };
  }

  /** The order was decided elsewhere: by a retry with the same key, whose answer is given, or by the reconciler. */
  async function afterSomebodyElse(order: PlaceOrder): Promise<PlacementAnswer> {
    const stored = await findAnswer(order);
    if (stored === undefined) throw notPlaced();
    return stored;
  }

  async function giveUp(intent: Intent, order: PlaceOrder): Promise<void> {
    // Best effort: what cannot be said to the database now, the reconciler finds at the deadline.
    await placements.abandon(intent, order).catch(() => undefined);
    metrics.outcomes.inc({ outcome: 'unavailable' });
  }

  function createdBody(intent: Intent, { userId, role, request }: PlaceOrder, lines: ReservedLine[]): string {
    const order = toJson(
      {
        id: intent.id,
        userId,
        status: 'pending',
        totalMinor: BigInt(totalOf(lines)),
        currency: money.currency,
        shippingAddress: request.shipping_address ?? null,
        note: request.note ?? null,
        createdAt: intent.createdAt,
        updatedAt: intent.createdAt,
        lines: lines.map((line) => ({
          productId: line.product_id,
          name: line.name,
          priceMinor: BigInt(line.price_minor),
          quantity: line.quantity,
          sellerId: line.owner_id,
        })),
      },
      { id: userId, role },
    );
    return JSON.stringify(orderWithMessage.parse({ message: 'Order created successfully', order }));
  }

  const turns = bulkhead(CONCURRENCY, MAX_WAITING);

  return {
    /**
     * Without an error the answer is final: 201, or a refusal for a reason of business, which a key replays.
     * @throws ProductServiceUnavailable and Unavailable 503 with nothing held, IdempotencyMismatch, IdempotencyInFlight
     */
    placeOrder: (order: PlaceOrder): Promise<PlacementAnswer> =>
      turns
        .execute(() => placeOrder(order))
        .catch((error: unknown) => {
          throw error instanceof BulkheadRejectedError ? tooBusy() : error;
        }),

    /** What the basket costs now. Holds nothing. @throws ProductNotFound, InsufficientStock, PriceChanged */
    async quoteOrder(request: OrderRequest, requestId: string) {
      const quote = await products.quote(request.products, requestId);
      if (quote.refusal !== null) throw refusalOf(quote.refusal);
      const changed = refusalOfTotal(request, quote.lines, money);
      if (changed !== undefined) throw changed;
      return quoteOf(quote.lines, money);
    },
  };
}

export type PlacementUseCases = ReturnType<typeof createPlacementUseCases>;
