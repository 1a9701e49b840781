import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { ProductClient } from '../clients/product.client.ts';
import type { ReservationState } from '../clients/product.response.schemas.ts';
import type { CompareRepository, StandingOrder } from './compare.repository.ts';

interface CompareOptions {
  repository: CompareRepository;
  products: Pick<ProductClient, 'confirm' | 'listStanding' | 'quote' | 'release' | 'reserve' | 'statusesOf'>;
  logger: Logger;
}

interface CompareLimits {
  /** Ends the comparison early, after the call in progress: a stop does not wait for a whole page. */
  signal?: AbortSignal;
  /** Changes nothing, only reports. Each order without a reservation is compared with the stock as it is now. */
  dryRun?: boolean;
}

/** Differences between the two databases: ids of orders, in `released` of reservations. */
export interface Comparison {
  orders: number;
  reservations: number;
  /** Reservations that held stock without an order; their stock was returned. */
  released: string[];
  /** Orders that had no reservation; their stock was reserved again. */
  reserved: number[];
  /** Orders without a reservation whose stock is sold out. An operator must decide. */
  short: number[];
  /** Orders whose stock was returned because they were cancelled after the backup. An operator must decide. */
  cancelledLater: number[];
}

const isAborted = ({ signal }: CompareLimits) => signal?.aborted === true;

/**
 * Compares orders and reservations, confirmed ones included. After a restore of one database, stock may be confirmed for
 * orders that do not exist, or orders may exist whose units are on sale again (docs/order-placement.md).
 */
export function createCompareUseCases({ repository, products, logger }: CompareOptions) {
  const releaseEach = async (
    found: Comparison,
    reservationIds: string[],
    limits: CompareLimits,
    requestId: string,
  ) => {
    for (const id of reservationIds) {
      if (isAborted(limits)) return;
      if (!limits.dryRun) await products.release({ reservationId: id, requestId });
      found.released.push(id);
    }
  };

  const releaseUnneeded = async (
    found: Comparison,
    since: Date,
    limits: CompareLimits,
    requestId: string,
  ) => {
    let last = firstIdOf(since);
    while (!isAborted(limits)) {
      const page = await products.listStanding(last, requestId);
      if (page.length === 0) return;
      found.reservations += page.length;
      await releaseEach(found, await repository.unneeded(page), limits, requestId);
      last = page.at(-1) ?? last;
    }
  };

  /** As of now: an order may have been cancelled since it was read. */
  const isNeeded = async (reservationId: string) => (await repository.unneeded([reservationId])).length === 0;

  /** What a repair would find now; undefined if the order has its stock. */
  const findingOf = async (
    { reservationId, items }: StandingOrder,
    known: ReservationState | undefined,
    requestId: string,
  ) => {
    if (known === undefined) {
      const [quote] = await products.quote([items], requestId);
      return quote?.refusal ? 'short' : 'reserved';
    }
    if (known.refused) return 'short';
    return known.status === 'RELEASED' && (await isNeeded(reservationId)) ? 'cancelledLater' : undefined;
  };

  const reportAll = async (
    found: Comparison,
    orders: StandingOrder[],
    limits: CompareLimits,
    requestId: string,
  ) => {
    const reservationIds = orders.map(({ reservationId }) => reservationId);
    const known = await products.statusesOf(reservationIds, requestId);
    for (const order of orders) {
      if (isAborted(limits)) return;
      const finding = await findingOf(order, known.get(order.reservationId), requestId);
      if (finding !== undefined) found[finding].push(order.id);
    }
  };

  const reserveAgain = async (found: Comparison, order: StandingOrder, requestId: string) => {
    const { id, reservationId, items } = order;
    const [made] = await products.reserve([{ orderId: id, reservationId, items }], requestId, true);
    if (made?.status === 'HELD' || made?.status === 'CONFIRMED') {
      await products.confirm({ reservationIds: [reservationId], orderIds: [id], requestId });
      found.reserved.push(id);
    } else if (made?.refusal) {
      found.short.push(id);
    } else if (made?.status === 'RELEASED' && (await isNeeded(reservationId))) {
      found.cancelledLater.push(id);
    }
  };

  const repairAll = async (
    found: Comparison,
    orders: StandingOrder[],
    limits: CompareLimits,
    requestId: string,
  ) => {
    // Confirms the reservations that are still held, as their jobs would.
    const confirmed = await products.confirm({
      reservationIds: orders.map(({ reservationId }) => reservationId),
      requestId,
    });
    for (const order of orders.filter(({ reservationId }) => !confirmed.has(reservationId))) {
      if (isAborted(limits)) return;
      await reserveAgain(found, order, requestId);
    }
  };

  const compareOrders = async (found: Comparison, since: Date, limits: CompareLimits, requestId: string) => {
    let last: StandingOrder | undefined;
    while (!isAborted(limits)) {
      const page = await repository.standing(since, last);
      if (page.length === 0) return;
      found.orders += page.length;
      await (limits.dryRun ? reportAll : repairAll)(found, page, limits, requestId);
      last = page.at(-1);
    }
  };

  return {
    /**
     * Compares orders and reservations since then. Releases unneeded stock first, so that orders without stock can get it.
     * @throws ProductServiceUnavailable; repairs made before it are kept
     */
    async compareSince(since: Date, limits: CompareLimits = {}): Promise<Comparison> {
      const requestId = randomUUID();
      const found: Comparison = {
        ...{ orders: 0, reservations: 0 },
        ...{ released: [], reserved: [], short: [], cancelledLater: [] },
      };
      await releaseUnneeded(found, since, limits, requestId);
      await compareOrders(found, since, limits, requestId);
      const { released, reserved, short, cancelledLater } = found;
      if (released.length + reserved.length + short.length + cancelledLater.length > 0)
        logger.error(
          { ...found, request_id: requestId },
          'the databases of orders and products did not agree',
        );
      return found;
    },
  };
}

export type CompareUseCases = ReturnType<typeof createCompareUseCases>;

/** An id below every UUIDv7 generated since that time. */
function firstIdOf(since: Date): string {
  const time = Math.max(since.getTime(), 0).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}
