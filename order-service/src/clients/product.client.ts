import { type Call, createProductCalls, type ProductCallsOptions, readResponse } from './product.calls.ts';
import { ProductBusy, ProductServiceUnavailable } from './product.errors.ts';
import type { Confirmation, Item, Release, WantedReservation } from './product.requests.ts';
import {
  confirmedResponse,
  type Held,
  heldResponse,
  type ProductQuote,
  type Reservation,
  type ReservationState,
  responsesIn,
  standingResponse,
  statusesResponse,
} from './product.response.schemas.ts';

const RESERVE = { method: 'POST', path: '/internal/reservations' } as const;
const QUOTE = { method: 'POST', path: '/internal/quotes' } as const;

interface ProductClientOptions extends ProductCallsOptions {
  currency: string;
}

/**
 * The client of product-service. Repeating a call is safe: product-service does nothing twice. Each call throws
 * ProductServiceUnavailable if there is no usable response; its outcome is unknown then.
 */
export function createProductClient({ currency, ...options }: ProductClientOptions) {
  const { attempt, attemptTwice, inTurn, isDown, close } = createProductCalls(options);
  const responses = responsesIn(currency);

  /** For a rolling update: an older product-service refuses lists with 400. */
  async function reserveAlone(call: Call & { body: { reservation_id: string } }): Promise<Reservation> {
    const nothing = { id: call.body.reservation_id, lines: null, refusal: null };
    const response = await inTurn(() => attemptTwice(call)).catch((error: unknown) => {
      if (error instanceof ProductBusy) return undefined;
      throw error;
    });
    if (response === undefined) return { ...nothing, status: 'BUSY' };
    if (response.status === 422) return { ...nothing, status: 'MISMATCH' };
    return readResponse(responses.reservation, response);
  }

  const quoteAlone = async (items: Item[], requestId: string): Promise<ProductQuote> =>
    readResponse(responses.quote, await inTurn(() => attemptTwice({ ...QUOTE, requestId, body: { items } })));

  return {
    /**
     * Each reservation takes all its items or none, or is BUSY while another transaction locks a product. The call is
     * retried with the same ids, so that a lost response does no harm.
     * @param wanted up to 100, with up to 1000 items in total
     * @param wait whether to wait for locked products
     * @returns one result for each, in the same order
     */
    async reserve(wanted: WantedReservation[], requestId: string, wait: boolean): Promise<Reservation[]> {
      const reservations = wanted.map(({ reservationId, items }) => ({
        reservation_id: reservationId,
        items,
      }));
      const orderIds = wanted.map(({ orderId }) => orderId);
      const call = { ...RESERVE, requestId, orderIds };
      const response = await attemptTwice({ ...call, body: { reservations, wait } });
      const made =
        response.status === 400
          ? await Promise.all(reservations.map((body) => reserveAlone({ ...call, body })))
          : readResponse(responses.reservations, response).reservations;
      const byId = new Map(made.map((reservation) => [reservation.id, reservation]));
      return wanted.map(({ reservationId }) => {
        const found = byId.get(reservationId);
        if (found === undefined) throw new ProductServiceUnavailable(`no result for ${reservationId}`);
        return found;
      });
    },

    /** Up to 500. @returns those that are confirmed now; the others hold nothing any more */
    async confirm({ reservationIds, orderIds = [], requestId }: Confirmation): Promise<Set<string>> {
      const call: Call = {
        method: 'POST',
        path: '/internal/reservations/confirm',
        requestId,
        orderIds,
        body: { reservation_ids: reservationIds },
      };
      return new Set(readResponse(confirmedResponse, await inTurn(() => attempt(call))).confirmed);
    },

    /** Returns the stock, once. */
    async release({ reservationId, orderId, requestId }: Release): Promise<void> {
      const path = `/internal/reservations/${reservationId}/release`;
      const { status } = await inTurn(() =>
        attempt({ method: 'POST', path, requestId, orderIds: orderId === undefined ? [] : [orderId] }),
      );
      if (status !== 200) throw new ProductServiceUnavailable(`responded with ${status}`);
    },

    /**
     * A page of the reservations held for longer than so many seconds, oldest first; empty after the last one.
     * @param after the last reservation of the previous page
     */
    async listHeld(olderThanSeconds: number, requestId: string, after?: Held): Promise<Held[]> {
      const position = after === undefined ? {} : { after_time: after.created_at, after_id: after.id };
      const query = new URLSearchParams({ older_than: String(olderThanSeconds), ...position });
      const path = `/internal/reservations?${query}`;
      const response = await inTurn(() => attempt({ method: 'GET', path, requestId }));
      return readResponse(heldResponse, response).reservations;
    },

    /** A page of the ids of reservations that hold stock, ascending, after this id; empty after the last one. */
    async listStanding(after: string, requestId: string): Promise<string[]> {
      const path = `/internal/reservations/standing?after=${after}`;
      const response = await inTurn(() => attempt({ method: 'GET', path, requestId }));
      return readResponse(standingResponse, response).reservation_ids;
    },

    /**
     * The reservations among these that exist, by id; changes nothing.
     * @param reservationIds up to 500
     * @throws Error if product-service is of an earlier release, which has no such call
     */
    async statusesOf(reservationIds: string[], requestId: string): Promise<Map<string, ReservationState>> {
      const path = '/internal/reservations/statuses';
      const body = { reservation_ids: reservationIds };
      const response = await inTurn(() => attempt({ method: 'POST', path, requestId, body }));
      if (response.status === 404)
        throw new Error('product-service is of an earlier release: a dry run needs this one');
      const { reservations } = readResponse(statusesResponse, response);
      return new Map(reservations.map((entry) => [entry.id, entry]));
    },

    /**
     * The current prices of these baskets. Reserves nothing.
     * @param baskets up to 100, with up to 1000 items in total
     * @returns one quote for each, in the same order
     */
    async quote(baskets: Item[][], requestId: string): Promise<ProductQuote[]> {
      const body = { quotes: baskets.map((items) => ({ items })) };
      const response = await attemptTwice({ ...QUOTE, requestId, body });
      if (response.status === 400) return Promise.all(baskets.map((items) => quoteAlone(items, requestId)));
      const { quotes } = readResponse(responses.quotes, response);
      if (quotes.length !== baskets.length) throw new ProductServiceUnavailable('quotes are missing');
      return quotes;
    },

    isDown,
    close,
  };
}

export type ProductClient = ReturnType<typeof createProductClient>;
