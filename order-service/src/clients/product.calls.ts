import { Agent } from 'node:http';
import { remainingTime } from '@shop/service-kit/deadline/deadline';
import { createTurns } from '@shop/service-kit/deadline/turns';
import { OutOfTime } from '@shop/service-kit/errors/http-errors';
import { createHttpClient } from '@shop/service-kit/http/http-client';
import { DEADLINE_HEADER } from '@shop/service-kit/http/request-deadline';
import type { Metrics } from '@shop/service-kit/runtime/metrics';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import type { AxiosResponse } from 'axios';
import type { z } from 'zod';
import { CircuitOpen, createCircuit } from './circuit.ts';
import { ProductBusy, ProductServiceUnavailable } from './product.errors.ts';
import { problem } from './product.response.schemas.ts';
import { timeLimit } from './time-limit.ts';

/** Time limit of a call in milliseconds: the time that its request has left, minus a reserve for later steps. */
const MAX_TIME = 2000;
const RESERVE_TIME = 200;
/** A call with less time than this is not attempted, in milliseconds. */
const MIN_TIME = 100;
/** A timeout shorter than this does not count as a failure of product-service, in milliseconds. */
const CONCLUSIVE_TIME = 700;
/** Calls other than batches have a queue of their own, so that orders never wait behind them. */
const OTHER_CALLS = { concurrency: 16, maxWaiting: 500, maxWait: 1200 };
const MAX_RESPONSE = 2_000_000;
const CIRCUIT = {
  failuresToOpen: 5,
  pause: 1000,
  isFailure: (error: unknown) => error instanceof ProductServiceUnavailable,
};
/** For the log lines of product-service. */
const ORDER_IDS_HEADER = 'x-order-ids';

export interface ProductCallsOptions {
  url: string;
  serviceTokenSecret: string;
  metrics: Pick<Metrics, 'outboundCalls'>;
  /** Multiplies the time limits of calls; 1 in production. */
  timeLimitFactor?: number;
}

export interface Call {
  method: 'GET' | 'POST';
  path: string;
  requestId: string;
  orderIds?: number[];
  body?: unknown;
}

/**
 * Calls to product-service: each takes no longer than its request has left, and passes this limit on in a header. A call
 * throws ProductServiceUnavailable if there is no usable response; its outcome is unknown then.
 */
export function createProductCalls({
  url,
  serviceTokenSecret,
  metrics,
  timeLimitFactor = 1,
}: ProductCallsOptions) {
  const agent = new Agent({ keepAlive: true, maxSockets: 200, scheduling: 'lifo' });
  const token = createServiceTokenSigner(serviceTokenSecret, 'order-service', 'product-service');
  const http = createHttpClient({
    target: 'product-service',
    url,
    agent,
    maxResponse: MAX_RESPONSE,
    metrics,
  });
  const circuit = createCircuit(CIRCUIT);

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
    if (response.status >= 500 && !isBusy(response))
      throw new ProductServiceUnavailable(`responded with ${response.status}`);
    return response;
  };

  const attempt = async (call: Call): Promise<AxiosResponse<unknown>> => {
    const response = await circuit
      .run(() => send(call))
      .catch((error: unknown) => {
        throw error instanceof CircuitOpen ? new ProductServiceUnavailable('circuit is open') : error;
      });
    if (isBusy(response)) throw new ProductBusy();
    return response;
  };

  const attemptTwice = (call: Call): Promise<AxiosResponse<unknown>> =>
    attempt(call).catch((error: unknown) => {
      const mayHelp = error instanceof ProductServiceUnavailable && !circuit.isOpen();
      if (!mayHelp || limitNow() < MIN_TIME) throw error;
      return attempt(call);
    });

  return {
    attempt,
    /** Repeats a call that failed early, for example because a connection was lost. */
    attemptTwice,
    /** Calls other than batches wait here for their turn. */
    inTurn: createTurns(OTHER_CALLS),
    /** True while calls fail without being attempted. */
    isDown: circuit.isPaused,
    close: () => agent.destroy(),
  };
}

const isBusy = ({ status, data }: AxiosResponse<unknown>) =>
  status === 503 && problem.safeParse(data).data?.code === 'product_busy';

/** @throws ProductServiceUnavailable if the response is of another kind */
export function readResponse<T>(schema: z.ZodType<T>, response: AxiosResponse<unknown>): T {
  const parsed = schema.safeParse(response.data);
  if (response.status === 200 && parsed.success) return parsed.data;
  throw new ProductServiceUnavailable(`unusable response ${response.status}`);
}
