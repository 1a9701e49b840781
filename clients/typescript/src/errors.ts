import type { Problem } from './api.types.ts';
import type { NamedProblem } from './types.ts';

/** Codes of responses, and three that the client gives itself: without a response, or where it is not of this API. */
export type ErrorCode = Problem['code'] | 'network' | 'timeout' | 'unexpected_response';

type ProblemOf<Code extends ErrorCode> = [Extract<NamedProblem, { code: Code }>] extends [never]
  ? Code extends Problem['code']
    ? Problem & { code: Code }
    : undefined
  : Extract<NamedProblem, { code: Code }>;
type DetailsOf<P> = P extends { details?: infer Details } ? Details : undefined;

interface Failure<Code extends ErrorCode> extends Error {
  /** Stable; branch on it. What else the error has depends on it. */
  readonly code: Code;
  /** HTTP status; 0 without a response. */
  readonly status: number;
  /** Refused fields with `validation_failed`, short lines with `insufficient_stock`, missing products of an order with `product_not_found`. */
  readonly details: DetailsOf<ProblemOf<Code>>;
  /** The whole body, such as the `quote` of `price_changed`. */
  readonly problem: ProblemOf<Code>;
  /** Finds the request in the logs of the shop; undefined without a response. */
  readonly requestId: string | undefined;
  /** Seconds after which the shop asks to try again. */
  readonly retryAfter: number | undefined;
}

/** Every failure of a call, but aborts. `if (error.code === '…')` narrows `details` and `problem`. */
export type ShopError = { [Code in ErrorCode]: Failure<Code> }[ErrorCode];

interface ErrorInit {
  code: string;
  message: string;
  status?: number;
  problem?: Problem | undefined;
  requestId?: string | undefined;
  retryAfter?: number | undefined;
  cause?: unknown;
}

class ErrorOfShop extends Error {
  override readonly name = 'ShopError';
  readonly code: string;
  readonly status: number;
  readonly details: Problem['details'];
  readonly problem: Problem | undefined;
  readonly requestId: string | undefined;
  readonly retryAfter: number | undefined;

  constructor({ code, message, status = 0, problem, requestId, retryAfter, cause }: ErrorInit) {
    super(message, { cause });
    this.code = code;
    this.status = status;
    this.details = problem?.details;
    this.problem = problem;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}

/** For `error instanceof ShopError`. */
export const ShopError = ErrorOfShop as unknown as {
  new (init: ErrorInit): ShopError;
  readonly prototype: ShopError;
};

/** @param text the body as it came */
export function errorOf(response: Response, text: string): ShopError {
  const problem = problemIn(text);
  return new ShopError({
    code: problem?.code ?? 'unexpected_response',
    message: problem?.detail ?? `The response ${response.status} is not of the shop`,
    status: response.status,
    problem,
    requestId: response.headers.get('x-request-id') ?? problem?.request_id,
    retryAfter: secondsOf(response.headers.get('retry-after')),
  });
}

function problemIn(text: string): Problem | undefined {
  try {
    const body = JSON.parse(text) as Problem | null;
    return typeof body?.code === 'string' ? body : undefined;
  } catch {
    return undefined;
  }
}

/** `Retry-After` is seconds or a date. */
function secondsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}
