import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { ProductClient } from '../clients/product.client.ts';
import type { CompareRepository, StandingOrder } from './compare.repository.ts';

interface CompareOptions {
  repository: CompareRepository;
  products: Pick<ProductClient, 'confirm' | 'listStanding' | 'release' | 'reserve'>;
  logger: Logger;
}

interface CompareLimits {
  /** Ends the comparison early. */
  signal?: AbortSignal;
  /** Repairs nothing, only reports. */
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

const FIRST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * Compares orders and reservations, confirmed ones included. After a restore of one database, stock may be confirmed for
 * orders that do not exist, or orders may exist whose units are on sale again (docs/order-placement.md).
 */
export function createCompareUseCases({ repository, products, logger }: CompareOptions) {
  const releaseUnneeded = async (
    found: Comparison,
    since: Date,
    limits: CompareLimits,
    requestId: string,
  ) => {
    let page = await products.listStanding(firstIdOf(since), requestId);
    while (page.length > 0 && limits.signal?.aborted !== true) {
      found.reservations += page.length;
      for (const id of await repository.unneeded(page)) {
        if (!limits.dryRun) await products.release({ reservationId: id, requestId });
        found.released.push(id);
      }
      page = await products.listStanding(page.at(-1) ?? FIRST_ID, requestId);
    }
  };

  const reserveAgain = async (
    found: Comparison,
    order: StandingOrder,
    dryRun: boolean | undefined,
    requestId: string,
  ) => {
    const { id, reservationId, items } = order;
    if (dryRun) return void found.reserved.push(id);
    const [made] = await products.reserve([{ orderId: id, reservationId, items }], requestId, true);
    if (made?.status === 'HELD' || made?.status === 'CONFIRMED') {
      await products.confirm({ reservationIds: [reservationId], orderIds: [id], requestId });
      found.reserved.push(id);
    } else if (made?.refusal) {
      found.short.push(id);
    } else if (made?.status === 'RELEASED' && !(await repository.unneeded([reservationId])).length) {
      found.cancelledLater.push(id);
    }
  };

  const reserveMissing = async (found: Comparison, since: Date, limits: CompareLimits, requestId: string) => {
    let page = await repository.standing(since, undefined);
    while (page.length > 0 && limits.signal?.aborted !== true) {
      found.orders += page.length;
      // Confirms the reservations that are still held, as their jobs would.
      const confirmed = await products.confirm({
        reservationIds: page.map(({ reservationId }) => reservationId),
        requestId,
      });
      for (const order of page)
        if (!confirmed.has(order.reservationId)) await reserveAgain(found, order, limits.dryRun, requestId);
      page = await repository.standing(since, page.at(-1));
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
      await reserveMissing(found, since, limits, requestId);
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
