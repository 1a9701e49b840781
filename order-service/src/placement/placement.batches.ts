import { randomUUID } from 'node:crypto';
import { wasRolledBack } from '@shop/service-kit/postgres/database-errors';
import type { Logger } from 'pino';
import type { ProductClient } from '../clients/product.client.ts';
import type { Item, WantedReservation } from '../clients/product.requests.ts';
import type { ProductQuote, Reservation } from '../clients/product.response.schemas.ts';
import { createBatcher } from './batcher.ts';
import type { PlacementMetrics } from './placement.metrics.ts';
import type { Abandonment, Intent, NewIntent, NewOrder, Rejection } from './placement.records.ts';
import type { PlacementRepository } from './placement.repository.ts';

interface BatchesOptions {
  placements: Pick<PlacementRepository, 'insertIntents' | 'place' | 'reject' | 'abandon'>;
  products: Pick<ProductClient, 'reserve' | 'quote'>;
  metrics: PlacementMetrics;
  logger: Logger;
  /** Milliseconds that new orders wait for others, in tests. */
  gatherFor?: number | undefined;
}

/** Every item names the request that it is of, and its order once that has an id. */
type Of<Item> = Item & { requestId: string; orderId?: number };

const MOST_ORDERS = 100;
/** Lines of all orders in one call: half of what product-service accepts, so that its response stays below 1 MB. */
const MOST_LINES = 500;
/** Largest size of the parameters of one statement, in bytes. */
const MOST_BYTES = 1_000_000;
/** Milliseconds that an order must have left before anything is written, and before each later step. */
const LEAST_TO_BEGIN = 600;
const LEAST_TO_GO_ON = 100;
/**
 * After so many milliseconds a call no longer delays the next one, up to so many parallel calls: if product-service takes
 * 1 s, a request waits at most 1.3 s for it, not 2 s.
 */
const LATE_AFTER = 300;
const PARALLEL_CALLS = 8;
/**
 * New orders wait up to so many milliseconds for others, until they are as many as those in the later steps: few large
 * batches cost less than many small ones. An order that finds no other one in the later steps does not wait.
 */
const GATHER = 8;
/** Locked products that are waited for in parallel: product-service lets about as many calls wait. */
const LOCKED_PRODUCTS = 4;
/** Upper bounds for the JSON of a line, and of an order without its texts. */
const BYTES_OF_LINE = 1500;
const BYTES_OF_ORDER = 500;

const linesOf = ({ items }: { items: Item[] }) => items.length;

/** The steps of docs/order-placement.md ("In batches"), and quotes, each for many requests together. */
export function createPlacementBatches({
  placements,
  products,
  metrics,
  logger,
  gatherFor = GATHER,
}: BatchesOptions) {
  /** Counts a batch, and logs the ids of its requests. */
  const observed = <Item, Result>(
    step: string,
    run: (items: Of<Item>[], requestId: string) => Promise<Result[]>,
  ) => {
    const batchSize = metrics.batchSize.labels({ step });
    return async (items: Of<Item>[]): Promise<Result[]> => {
      batchSize.observe(items.length);
      const requests = items.map(({ requestId }) => requestId);
      const requestId = requests.length === 1 && requests[0] !== undefined ? requests[0] : randomUUID();
      const together = {
        step,
        request_id: requestId,
        request_ids: requests,
        order_ids: items.map(({ orderId }) => orderId),
      };
      if (requests.length > 1) logger.debug(together, 'step of several requests');
      return run(items, requestId).catch((error: unknown) => {
        logger.warn({ ...together, err: error }, 'step failed');
        throw error;
      });
    };
  };

  const reserving = (wait: boolean) => (wanted: Of<WantedReservation>[], requestId: string) =>
    products.reserve(wanted, requestId, wait);

  const insertIntent = createBatcher<Of<NewIntent>, Intent | null>({
    name: 'intent',
    run: observed('intent', (intents) => placements.insertIntents(intents)),
    most: { items: MOST_ORDERS, weight: MOST_BYTES },
    weightOf: ({ request: { note = '', shipping_address: address = {} } }) =>
      BYTES_OF_ORDER + 4 * (note.length + Object.values(address).join('').length),
    least: LEAST_TO_BEGIN,
    wasNotDone: wasRolledBack,
    gather: { enough: () => reserve.unsettled() + place.unsettled(), most: gatherFor },
  });
  const reserve = createBatcher<Of<WantedReservation>, Reservation>({
    name: 'reserve',
    run: observed('reserve', reserving(false)),
    most: { items: MOST_ORDERS, weight: MOST_LINES },
    weightOf: linesOf,
    least: LEAST_TO_GO_ON,
    lateAfter: LATE_AFTER,
    concurrency: PARALLEL_CALLS,
  });
  const waitFor = createBatcher<Of<WantedReservation> & { product: number }, Reservation>({
    name: 'wait',
    run: observed('wait', reserving(true)),
    most: { items: MOST_ORDERS, weight: MOST_LINES },
    weightOf: linesOf,
    least: LEAST_TO_GO_ON,
    groupOf: ({ product }) => product,
    concurrency: LOCKED_PRODUCTS,
  });
  /** Returns true if this call placed the order, false if it was already decided elsewhere. */
  const place = createBatcher<Of<NewOrder>, boolean>({
    name: 'place',
    run: observed('place', async (orders) => {
      const placed = await placements.place(orders);
      return orders.map(({ intent }) => placed.has(intent.id));
    }),
    most: { items: MOST_ORDERS, weight: MOST_BYTES },
    weightOf: ({ lines, response }) => BYTES_OF_LINE * lines.length + 2 * response.body.length,
    least: LEAST_TO_GO_ON,
    wasNotDone: wasRolledBack,
  });

  /** Returns true if this call rejected the order, false if it was already decided elsewhere. */
  const reject = createBatcher<Of<Rejection>, boolean>({
    name: 'reject',
    run: observed('reject', async (orders) => {
      const rejected = await placements.reject(orders);
      return orders.map(({ intent }) => rejected.has(intent.id));
    }),
    most: { items: MOST_ORDERS, weight: MOST_BYTES },
    weightOf: ({ response }) => BYTES_OF_ORDER + 2 * response.body.length,
    least: LEAST_TO_GO_ON,
    wasNotDone: wasRolledBack,
  });
  /**
   * Returns true if the order had been placed after all. Orders that run out of time do so together: one statement for each
   * of them would keep the connections from the orders that follow, which would run out of time in their turn.
   */
  const abandon = createBatcher<Of<Abandonment>, boolean>({
    name: 'abandon',
    run: observed('abandon', async (orders) => {
      const placed = await placements.abandon(orders);
      return orders.map(({ intent }) => placed.has(intent.id));
    }),
    most: { items: MOST_ORDERS, weight: MOST_ORDERS },
    weightOf: () => 1,
    least: 0,
    wasNotDone: wasRolledBack,
  });
  const quote = createBatcher<Of<{ items: Item[] }>, ProductQuote>({
    name: 'quote',
    run: observed('quote', (baskets, requestId) =>
      products.quote(
        baskets.map(({ items }) => items),
        requestId,
      ),
    ),
    most: { items: MOST_ORDERS, weight: MOST_LINES },
    weightOf: linesOf,
    least: LEAST_TO_GO_ON,
    lateAfter: LATE_AFTER,
    concurrency: PARALLEL_CALLS,
  });

  const queues = { intent: insertIntent, reserve, wait: waitFor, place, reject, abandon, quote };
  for (const [step, { queued }] of Object.entries(queues)) metrics.watchQueue(step, queued);
  return {
    insertIntent,
    place,
    reject,
    abandon,
    quote,

    /**
     * Step 2. An order with a locked product waits in a separate batch, and does not delay others.
     * @returns BUSY if the product stays locked
     */
    async reserve(wanted: Of<WantedReservation>): Promise<Reservation> {
      const made = await reserve(wanted);
      return made.status === 'BUSY' ? waitFor({ ...wanted, product: made.busy_product_id ?? 0 }) : made;
    },
  };
}
