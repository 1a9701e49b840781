import { Agent } from 'node:http';
import { remainingTime } from '@shop/service-kit/deadline/deadline';
import { createTurns } from '@shop/service-kit/deadline/turns';
import { OutOfTime } from '@shop/service-kit/errors/http-errors';
import { DEADLINE_HEADER } from '@shop/service-kit/http/request-deadline';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import axios, { type AxiosResponse } from 'axios';
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleType } from 'cockatiel';
import type { z } from 'zod';
import { ProductBusy, ProductServiceUnavailable } from './product.errors.ts';
import {
  answersIn,
  confirmedAnswer,
  held,
  type ProductQuote,
  problem,
  type Reservation,
} from './product.response.schemas.ts';

/** The attempts of one call, in milliseconds; less where the request has less left. */
const FIRST_TIMEOUT = 900;
const SECOND_TIMEOUT = 700;
/** What a request keeps for what comes after the call, and the least that is worth an attempt, in milliseconds. */
const KEPT = 250;
const LEAST = 100;
/** After so many failures in a row calls fail at once, and one is tried again a second later. */
const FAILURES_TO_OPEN = 5;
const RETRY_AFTER_OPEN = 1000;
/** Calls of this process for anything but orders: these have a queue of their own, and never wait behind the others. */
const OTHER_CALLS = { atOnce: 16, waiting: 500, patience: 1200 };
const MAX_ANSWER = 2_000_000;
const RESERVE = { method: 'POST', path: '/internal/reservations' } as const;

export interface Item {
  product_id: number;
  quantity: number;
}

export interface WantedReservation {
  reservationId: string;
  /** In id order, each product once. */
  items: Item[];
}

interface ProductClientOptions {
  url: string;
  serviceTokenSecret: string;
  currency: string;
  /** Multiplies what calls may take; 1 in production. */
  patience?: number;
}

interface Call {
  method: 'GET' | 'POST';
  path: string;
  requestId: string;
  body?: unknown;
}

/**
 * product-service over HTTP. Every call has a time limit and may be repeated: product-service does nothing twice.
 * Each throws ProductServiceUnavailable when there was no usable answer; it is unknown then what happened there. None takes
 * longer than its request may, which product-service is told.
 */
export function createProductClient({
  url,
  serviceTokenSecret,
  currency,
  patience = 1,
}: ProductClientOptions) {
  const agent = new Agent({ keepAlive: true, maxSockets: 200, scheduling: 'lifo' });
  const answers = answersIn(currency);
  const token = createServiceTokenSigner(serviceTokenSecret, 'order-service', 'product-service');
  const http = axios.create({
    baseURL: url,
    httpAgent: agent,
    proxy: false,
    maxRedirects: 0,
    maxContentLength: MAX_ANSWER,
    validateStatus: () => true,
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

  const send = async (
    { method, path, requestId, body }: Call,
    most: number,
  ): Promise<AxiosResponse<unknown>> => {
    const left = remainingTime();
    const limit = left === undefined ? most * patience : Math.min(most * patience, Math.floor(left - KEPT));
    if (limit < LEAST) throw new OutOfTime();
    const headers = {
      authorization: `Bearer ${token()}`,
      'x-request-id': requestId,
      [DEADLINE_HEADER]: String(limit),
    };
    const { signal, clear, isAborted } = timeLimit(limit);
    const answer = await http
      .request({ method, url: path, data: body, headers, signal })
      .catch((error: Error) => {
        // With less time than is usual, no answer says nothing about product-service.
        if (limit < SECOND_TIMEOUT * patience && isAborted()) throw new OutOfTime();
        throw new ProductServiceUnavailable(error.message);
      })
      .finally(clear);
    if (answer.status === 503 && problem.safeParse(answer.data).data?.code === 'product_busy')
      throw new ProductBusy();
    if (answer.status >= 500) throw new ProductServiceUnavailable(`answered ${answer.status}`);
    return answer;
  };

  const attempt = (call: Call, limit = FIRST_TIMEOUT): Promise<AxiosResponse<unknown>> =>
    breaker
      .execute(() => send(call, limit))
      .catch((error: unknown) => {
        if (error instanceof BrokenCircuitError) throw new ProductServiceUnavailable('circuit is open');
        throw error;
      });

  const read = <T>(schema: z.ZodType<T>, answer: AxiosResponse<unknown>): T => {
    const parsed = schema.safeParse(answer.data);
    if (answer.status === 200 && parsed.success) return parsed.data;
    throw new ProductServiceUnavailable(`unusable answer ${answer.status}`);
  };

  const twice = (call: Call): Promise<AxiosResponse<unknown>> =>
    attempt(call).catch((error: unknown) => {
      const isWorthIt = error instanceof ProductServiceUnavailable && breaker.state !== CircuitState.Open;
      if (!isWorthIt) throw error;
      return attempt(call, SECOND_TIMEOUT);
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
    return read(answers.reservation, response);
  }

  return {
    /**
     * Each takes all its items or nothing, or is BUSY while somebody else holds a product locked. Tried twice with the same
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
      const response = await twice({ ...RESERVE, requestId, body: { reservations, wait } });
      const made =
        response.status === 400
          ? await Promise.all(reservations.map((body) => reserveAlone({ ...RESERVE, requestId, body })))
          : read(answers.reservations, response).reservations;
      const byId = new Map(made.map((reservation) => [reservation.id, reservation]));
      return wanted.map(({ reservationId }) => {
        const found = byId.get(reservationId);
        if (found === undefined) throw new ProductServiceUnavailable(`no result for ${reservationId}`);
        return found;
      });
    },

    /** @param reservationIds up to 500 @returns those that are confirmed now; the others hold nothing any more */
    async confirm(reservationIds: string[], requestId: string): Promise<Set<string>> {
      const call: Call = {
        method: 'POST',
        path: '/internal/reservations/confirm',
        requestId,
        body: { reservation_ids: reservationIds },
      };
      return new Set(read(confirmedAnswer, await otherCalls(() => attempt(call))).confirmed);
    },

    /** Gives the stock back, once. */
    async release(reservationId: string, requestId: string): Promise<void> {
      const path = `/internal/reservations/${reservationId}/release`;
      const answer = await otherCalls(() => attempt({ method: 'POST', path, requestId }));
      if (answer.status !== 200) throw new ProductServiceUnavailable(`answered ${answer.status}`);
    },

    /** Ids of reservations held for longer than so many seconds, oldest first. */
    async listHeld(olderThanSeconds: number, requestId: string): Promise<string[]> {
      const path = `/internal/reservations?older_than=${olderThanSeconds}`;
      const answer = read(held, await otherCalls(() => attempt({ method: 'GET', path, requestId })));
      return answer.reservations.map(({ id }) => id);
    },

    async quote(items: Item[], requestId: string): Promise<ProductQuote> {
      return read(
        answers.quote,
        await otherCalls(() =>
          attempt({ method: 'POST', path: '/internal/quotes', requestId, body: { items } }),
        ),
      );
    },

    /** True while calls would fail without being tried. */
    isDown: () => breaker.state === CircuitState.Open && Date.now() < downUntil,
    close: () => agent.destroy(),
  };
}

export type ProductClient = ReturnType<typeof createProductClient>;

/**
 * Aborts after so many milliseconds and one more turn of the event loop: where this process itself was busy for so
 * long, the answer may be waiting to be read, and is no failure of product-service.
 */
function timeLimit(milliseconds: number) {
  const controller = new AbortController();
  const timer = setTimeout(() => setImmediate(() => setImmediate(() => controller.abort())), milliseconds);
  return {
    signal: controller.signal,
    clear: () => clearTimeout(timer),
    isAborted: () => controller.signal.aborted,
  };
}
