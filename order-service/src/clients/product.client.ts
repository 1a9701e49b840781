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
  standingResponse,
} from './product.response.schemas.ts';
import { timeLimit } from './time-limit.ts';

/** Time limit of a call in milliseconds: the time that its request has left, minus a reserve for later steps. */
const MAX_TIME = 2000;
const RESERVE_TIME = 200;
/** A call with less time than this is not attempted, in milliseconds. */
const MIN_TIME = 100;
/** A timeout shorter than this does not count as a failure of product-service, in milliseconds. */
const CONCLUSIVE_TIME = 700;
/** After so many consecutive failures, calls fail immediately; one is tried again a second later. */
const FAILURES_TO_OPEN = 5;
const RETRY_AFTER_OPEN = 1000;
/** Calls other than batches have a queue of their own, so that orders never wait behind them. */
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
  /** Multiplies the time limits of calls; 1 in production. */
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
 * The client of product-service. A call takes no longer than its request has left, and passes this limit on in a header.
 * Repeating a call is safe: product-service does nothing twice. Each call throws ProductServiceUnavailable if there is no
 * usable response; its outcome is unknown then.
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

  // The breaker leaves its open state only with the next call, so `isDown` compares times itself.
  let downUntil = 0;
  breaker.onBreak(() => {
    downUntil = Date.now() + RETRY_AFTER_OPEN;
  });
  const otherCalls = createTurns(OTHER_CALLS);

  const limitNow = () =>
    Math.floor(
      Math.min(
        MAX_TIME * timeLimitFactor,
        (remainingTime() ?? MAX_TIME * timeLimitFactor + RESERVE_TIME) - RESERVE_TIME,
      ),
    );

  const send = async ({
    method,
    path,
    requestId,
    orderIds = [],
    body,
  }: Call): Promise<AxiosResponse<unknown>> => {
    const limit = limitNow();
    if (limit < MIN_TIME) throw new OutOfTime();
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
        if (limit < CONCLUSIVE_TIME * timeLimitFactor && isAborted()) throw new OutOfTime();
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

  /** Repeats a call that failed early, for example because a connection was lost. */
  const attemptTwice = (call: Call): Promise<AxiosResponse<unknown>> =>
    attempt(call).catch((error: unknown) => {
      const mayHelp = error instanceof ProductServiceUnavailable && breaker.state !== CircuitState.Open;
      if (!mayHelp || limitNow() < MIN_TIME) throw error;
      return attempt(call);
    });

  /** For a rolling update: an older product-service refuses lists with 400. */
  async function reserveAlone(call: Call & { body: { reservation_id: string } }): Promise<Reservation> {
    const nothing = { id: call.body.reservation_id, lines: null, refusal: null };
    const response = await otherCalls(() => attemptTwice(call)).catch((error: unknown) => {
      if (error instanceof ProductBusy) return undefined;
      throw error;
    });
    if (response === undefined) return { ...nothing, status: 'BUSY' };
    if (response.status === 422) return { ...nothing, status: 'MISMATCH' };
    return read(responses.reservation, response);
  }

  const quoteAlone = async (items: Item[], requestId: string): Promise<ProductQuote> =>
    read(responses.quote, await otherCalls(() => attemptTwice({ ...QUOTE, requestId, body: { items } })));

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

    /** Returns the stock, once. */
    async release({ reservationId, orderId, requestId }: Release): Promise<void> {
      const path = `/internal/reservations/${reservationId}/release`;
      const { status } = await otherCalls(() =>
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
      const response = await otherCalls(() => attempt({ method: 'GET', path, requestId }));
      return read(heldResponse, response).reservations;
    },

    /** A page of the ids that hold stock, ascending, from behind this one on; empty behind the last one. */
    async listStanding(after: string, requestId: string): Promise<string[]> {
      const path = `/internal/reservations/standing?after=${after}`;
      const response = await otherCalls(() => attempt({ method: 'GET', path, requestId }));
      return read(standingResponse, response).reservation_ids;
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
      const { quotes } = read(responses.quotes, response);
      if (quotes.length !== baskets.length) throw new ProductServiceUnavailable('quotes are missing');
      return quotes;
    },

    /** True while calls fail without being attempted. */
    isDown: () => breaker.state === CircuitState.Open && Date.now() < downUntil,
    close: () => agent.destroy(),
  };
}

export type ProductClient = ReturnType<typeof createProductClient>;
