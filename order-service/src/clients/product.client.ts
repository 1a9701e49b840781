import { Agent } from 'node:http';
import { remainingTime } from '@shop/service-kit/deadline/deadline';
import { createTurns } from '@shop/service-kit/deadline/turns';
import { OutOfTime } from '@shop/service-kit/errors/http-errors';
import { createHttpClient } from '@shop/service-kit/http/http-client';
import { DEADLINE_HEADER } from '@shop/service-kit/http/request-deadline';
import type { Metrics } from '@shop/service-kit/runtime/metrics';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import type { AxiosResponse } from 'axios';
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleType } from 'cockatiel';
import type { z } from 'zod';
import { ProductBusy, ProductServiceUnavailable } from './product.errors.ts';
import type { Confirmation, Item, Release, WantedReservation } from './product.requests.ts';
import {
  confirmedResponse,
  type Held,
  heldResponse,
  type ProductQuote,
  problem,
  type Reservation,
  responsesIn,
} from './product.response.schemas.ts';
import { timeLimit } from './time-limit.ts';

/** What a call may take, in milliseconds: all that its request has left, less what the request keeps for later steps. */
const MOST = 2000;
const KEPT = 200;
/** The least that is worth an attempt. A shorter one than `TELLING` that ends without a response says nothing of product-service. */
const LEAST = 100;
const TELLING = 700;
/** After so many failures in a row calls fail at once, and one is tried again a second later. */
const FAILURES_TO_OPEN = 5;
const RETRY_AFTER_OPEN = 1000;
/** Calls of this process that are no batches: these have a queue of their own, and orders never wait behind them. */
const OTHER_CALLS = { concurrency: 16, maxWaiting: 500, maxWait: 1200 };
const MAX_RESPONSE = 2_000_000;
/** For the log lines of product-service. */
const ORDER_IDS_HEADER = 'x-order-ids';
const RESERVE = { method: 'POST', path: '/internal/reservations' } as const;
const QUOTE = { method: 'POST', path: '/internal/quotes' } as const;

interface ProductClientOptions {
  url: string;
  serviceTokenSecret: string;
  currency: string;
  metrics: Pick<Metrics, 'outboundCalls'>;
  /** Multiplies what calls may take; 1 in production. */
  timeLimitFactor?: number;
}

interface Call {
  method: 'GET' | 'POST';
  path: string;
  requestId: string;
  orderIds?: number[];
  body?: unknown;
}

/**
 * product-service over HTTP. A call takes no longer than its request has left; a header passes that limit on. A call may be
 * repeated: product-service does nothing twice. Each throws ProductServiceUnavailable if there was no usable response; its
 * outcome is unknown then.
 */
export function createProductClient({
  url,
  serviceTokenSecret,
  currency,
  metrics,
  timeLimitFactor = 1,
}: ProductClientOptions) {
  const agent = new Agent({ keepAlive: true, maxSockets: 200, scheduling: 'lifo' });
  const responses = responsesIn(currency);
  const token = createServiceTokenSigner(serviceTokenSecret, 'order-service', 'product-service');
  const http = createHttpClient({
    target: 'product-service',
    url,
    agent,
    maxResponse: MAX_RESPONSE,
    metrics,
  });
  const breaker = circuitBreaker(handleType(ProductServiceUnavailable), {
    halfOpenAfter: RETRY_AFTER_OPEN,
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
  });

  // The breaker leaves its open state only with the next call, so the time tells when one is worth it.
  let downUntil = 0;
  breaker.onBreak(() => {
    downUntil = Date.now() + RETRY_AFTER_OPEN;
  });
  const otherCalls = createTurns(OTHER_CALLS);

  const limitNow = () =>
    Math.floor(Math.min(MOST * timeLimitFactor, (remainingTime() ?? MOST * timeLimitFactor + KEPT) - KEPT));

  const send = async ({
    method,
    path,
    requestId,
    orderIds = [],
    body,
  }: Call): Promise<AxiosResponse<unknown>> => {
    const limit = limitNow();
    if (limit < LEAST) throw new OutOfTime();
    const headers = {
      authorization: `Bearer ${token()}`,
      'x-request-id': requestId,
      [DEADLINE_HEADER]: String(limit),
      ...(orderIds.length === 0 ? {} : { [ORDER_IDS_HEADER]: orderIds.join() }),
    };
    const { signal, clear, isAborted } = timeLimit(limit);
    const response = await http
      .request({ method, url: path, data: body, headers, signal })
      .catch((error: Error) => {
        if (limit < TELLING * timeLimitFactor && isAborted()) throw new OutOfTime();
        throw new ProductServiceUnavailable(error.message);
      })
      .finally(clear);
    if (response.status === 503 && problem.safeParse(response.data).data?.code === 'product_busy')
      throw new ProductBusy();
    if (response.status >= 500) throw new ProductServiceUnavailable(`responded with ${response.status}`);
    return response;
  };

  const attempt = (call: Call): Promise<AxiosResponse<unknown>> =>
    breaker
      .execute(() => send(call))
      .catch((error: unknown) => {
        if (error instanceof BrokenCircuitError) throw new ProductServiceUnavailable('circuit is open');
        throw error;
      });

  const read = <T>(schema: z.ZodType<T>, response: AxiosResponse<unknown>): T => {
    const parsed = schema.safeParse(response.data);
    if (response.status === 200 && parsed.success) return parsed.data;
    throw new ProductServiceUnavailable(`unusable response ${response.status}`);
  };

  /** Again after a failure that left time for it, such as a connection that was lost. */
  const twice = (call: Call): Promise<AxiosResponse<unknown>> =>
    attempt(call).catch((error: unknown) => {
      const mayHelp = error instanceof ProductServiceUnavailable && breaker.state !== CircuitState.Open;
      if (!mayHelp || limitNow() < LEAST) throw error;
      return attempt(call);
    });

  /** During a rolling update: a product-service that does not know lists yet refuses them with 400. */
  async function reserveAlone(call: Call & { body: { reservation_id: string } }): Promise<Reservation> {
    const nothing = { id: call.body.reservation_id, lines: null, refusal: null };
    const response = await otherCalls(() => twice(call)).catch((error: unknown) => {
      if (error instanceof ProductBusy) return undefined;
      throw error;
    });
    if (response === undefined) return { ...nothing, status: 'BUSY' };
    if (response.status === 422) return { ...nothing, status: 'MISMATCH' };
    return read(responses.reservation, response);
  }

  const quoteAlone = async (items: Item[], requestId: string): Promise<ProductQuote> =>
    read(responses.quote, await otherCalls(() => twice({ ...QUOTE, requestId, body: { items } })));

  return {
    /**
     * Each takes all its items or nothing, or is BUSY while somebody else holds a product locked. Tried again with the same
     * ids, so that a lost response loses nothing.
     * @param wanted up to 100, with up to 1000 items in all
     * @param wait whether to wait for products that are locked
     * @returns in the same order
     */
    async reserve(wanted: WantedReservation[], requestId: string, wait: boolean): Promise<Reservation[]> {
      const reservations = wanted.map(({ reservationId, items }) => ({
        reservation_id: reservationId,
        items,
      }));
      const orderIds = wanted.map(({ orderId }) => orderId);
      const call = { ...RESERVE, requestId, orderIds };
      const response = await twice({ ...call, body: { reservations, wait } });
      const made =
        response.status === 400
          ? await Promise.all(reservations.map((body) => reserveAlone({ ...call, body })))
          : read(responses.reservations, response).reservations;
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
      return new Set(read(confirmedResponse, await otherCalls(() => attempt(call))).confirmed);
    },

    /** Gives the stock back, once. */
    async release({ reservationId, orderId, requestId }: Release): Promise<void> {
      const path = `/internal/reservations/${reservationId}/release`;
      const { status } = await otherCalls(() =>
        attempt({ method: 'POST', path, requestId, orderIds: orderId === undefined ? [] : [orderId] }),
      );
      if (status !== 200) throw new ProductServiceUnavailable(`responded with ${status}`);
    },

    /**
     * A page of the reservations held for longer than so many seconds, oldest first; empty behind the last one.
     * @param after the last one of the page before
     */
    async listHeld(olderThanSeconds: number, requestId: string, after?: Held): Promise<Held[]> {
      const position = after === undefined ? {} : { after_time: after.created_at, after_id: after.id };
      const query = new URLSearchParams({ older_than: String(olderThanSeconds), ...position });
      const path = `/internal/reservations?${query}`;
      const response = await otherCalls(() => attempt({ method: 'GET', path, requestId }));
      return read(heldResponse, response).reservations;
    },

    /**
     * What each of these baskets costs now. Holds nothing.
     * @param baskets up to 100, with up to 1000 items in all
     * @returns in the same order
     */
    async quote(baskets: Item[][], requestId: string): Promise<ProductQuote[]> {
      const body = { quotes: baskets.map((items) => ({ items })) };
      const response = await twice({ ...QUOTE, requestId, body });
      if (response.status === 400) return Promise.all(baskets.map((items) => quoteAlone(items, requestId)));
      const { quotes } = read(responses.quotes, response);
      if (quotes.length !== baskets.length) throw new ProductServiceUnavailable('quotes are missing');
      return quotes;
    },

    /** True while calls would fail without being tried. */
    isDown: () => breaker.state === CircuitState.Open && Date.now() < downUntil,
    close: () => agent.destroy(),
  };
}

export type ProductClient = ReturnType<typeof createProductClient>;
