import { Agent } from 'node:http';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import axios, { type AxiosResponse } from 'axios';
import {
  BrokenCircuitError,
  bulkhead,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleType,
} from 'cockatiel';
import { z } from 'zod';
import { ProductServiceUnavailable } from './product.errors.ts';

/** The attempts of one call, in milliseconds. Together with the database calls around them they stay within 2 s. */
const FIRST_TIMEOUT = 900;
const SECOND_TIMEOUT = 700;
/** After so many failures in a row calls fail at once, and one is tried again a second later. */
const FAILURES_TO_OPEN = 5;
const RETRY_AFTER_OPEN = 1000;
/**
 * Calls of this process that run at once; the others wait here, where the time limit of an attempt does not run yet.
 * More would only wait for the same rows and cores behind the network.
 */
const CONCURRENCY = 8;
const MAX_ANSWER = 1_000_000;

const line = z.object({
  product_id: z.int(),
  quantity: z.int(),
  name: z.string(),
  price_minor: z.int(),
  owner_id: z.int(),
});
const shortage = z.object({ product_id: z.int(), requested: z.int(), available: z.int().nullable() });
const confirmedAnswer = z.object({ confirmed: z.array(z.string()) });
const held = z.object({ reservations: z.array(z.object({ id: z.string() })) });

/** Answers in another currency than this deployment's are unusable. */
function answersIn(currency: string) {
  const priced = { currency: z.literal(currency), refusal: z.array(shortage).nullable() };
  return {
    reservation: z.object({
      ...priced,
      id: z.string(),
      status: z.enum(['HELD', 'CONFIRMED', 'RELEASED']),
      lines: z.array(line).nullable(),
    }),
    quote: z.object({ ...priced, lines: z.array(line) }),
  };
}

export type ReservedLine = z.output<typeof line>;
export type Shortage = z.output<typeof shortage>;
export type Reservation = z.output<ReturnType<typeof answersIn>['reservation']>;
export type ProductQuote = z.output<ReturnType<typeof answersIn>['quote']>;

export interface Item {
  product_id: number;
  quantity: number;
}

interface ProductClientOptions {
  url: string;
  serviceTokenSecret: string;
  currency: string;
}

interface Call {
  method: 'GET' | 'POST';
  path: string;
  requestId: string;
  body?: unknown;
}

/**
 * product-service over HTTP. Every call has a time limit and may be repeated: product-service does nothing twice.
 * Each throws ProductServiceUnavailable when there was no usable answer; it is unknown then what happened there.
 */
export function createProductClient({ url, serviceTokenSecret, currency }: ProductClientOptions) {
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
  const turns = bulkhead(CONCURRENCY, Number.POSITIVE_INFINITY);

  const send = async (
    { method, path, requestId, body }: Call,
    limit: number,
  ): Promise<AxiosResponse<unknown>> => {
    const headers = { authorization: `Bearer ${token()}`, 'x-request-id': requestId };
    const { signal, clear } = timeLimit(limit);
    const answer = await http
      .request({ method, url: path, data: body, headers, signal })
      .catch((error: Error) => {
        throw new ProductServiceUnavailable(error.message);
      })
      .finally(clear);
    if (answer.status >= 500) throw new ProductServiceUnavailable(`answered ${answer.status}`);
    return answer;
  };

  const attempt = (call: Call, limit = FIRST_TIMEOUT): Promise<AxiosResponse<unknown>> =>
    turns
      .execute(() => breaker.execute(() => send(call, limit)))
      .catch((error: unknown) => {
        if (error instanceof BrokenCircuitError) throw new ProductServiceUnavailable('circuit is open');
        throw error;
      });

  const read = <T>(schema: z.ZodType<T>, answer: AxiosResponse<unknown>): T => {
    const parsed = schema.safeParse(answer.data);
    if (answer.status === 200 && parsed.success) return parsed.data;
    throw new ProductServiceUnavailable(`unusable answer ${answer.status}`);
  };

  return {
    /** Takes all items or nothing. Tried twice with the same id, so that a lost answer loses nothing. */
    async reserve(reservationId: string, items: Item[], requestId: string): Promise<Reservation> {
      const call: Call = {
        method: 'POST',
        path: '/internal/reservations',
        requestId,
        body: { reservation_id: reservationId, items },
      };
      const answer = await attempt(call).catch((error: unknown) => {
        if (breaker.state === CircuitState.Open) throw error;
        return attempt(call, SECOND_TIMEOUT);
      });
      return read(answers.reservation, answer);
    },

    /** @param reservationIds up to 500 @returns those that are confirmed now; the others hold nothing any more */
    async confirm(reservationIds: string[], requestId: string): Promise<Set<string>> {
      const call: Call = {
        method: 'POST',
        path: '/internal/reservations/confirm',
        requestId,
        body: { reservation_ids: reservationIds },
      };
      return new Set(read(confirmedAnswer, await attempt(call)).confirmed);
    },

    /** Gives the stock back, once. */
    async release(reservationId: string, requestId: string): Promise<void> {
      const path = `/internal/reservations/${reservationId}/release`;
      const answer = await attempt({ method: 'POST', path, requestId });
      if (answer.status !== 200) throw new ProductServiceUnavailable(`answered ${answer.status}`);
    },

    /** Ids of reservations held for longer than so many seconds, oldest first. */
    async listHeld(olderThanSeconds: number, requestId: string): Promise<string[]> {
      const path = `/internal/reservations?older_than=${olderThanSeconds}`;
      const answer = read(held, await attempt({ method: 'GET', path, requestId }));
      return answer.reservations.map(({ id }) => id);
    },

    async quote(items: Item[], requestId: string): Promise<ProductQuote> {
      return read(
        answers.quote,
        await attempt({ method: 'POST', path: '/internal/quotes', requestId, body: { items } }),
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
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
