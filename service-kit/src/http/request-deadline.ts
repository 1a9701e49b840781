import type { Request } from 'express';
import { MalformedRequest } from '../errors/http-errors.ts';
import type { Route, TimeLimit } from './define-route.ts';
import type { RequestContext } from './request-context.ts';

/** Milliseconds that a calling service gives to the called one. */
export const DEADLINE_HEADER = 'x-request-deadline-ms';

/**
 * Time limits for the work of a request, in milliseconds: the 2 s and 12 s of docs/http-api.md, minus a reserve for cleaning
 * up and sending the response.
 */
const LIMITS: Record<TimeLimit, number> = {
  usual: 1800,
  password: 11_500,
  steps: Number.POSITIVE_INFINITY,
};

/**
 * The time limit of a request in milliseconds. It starts when the whole request has arrived: a slow client does not use it
 * up.
 * @param timeLimitFactor multiplies the limits, for tests on a busy machine
 */
export function timeLimitOf(
  route: Route,
  request: Request,
  context: RequestContext,
  timeLimitFactor: number,
): number {
  const limit = LIMITS[route.timeLimit ?? (route.stream === undefined ? 'usual' : 'steps')];
  const spent = route.body === undefined ? performance.now() - context.startedAt : 0;
  const leftByCaller = Number(request.headers[DEADLINE_HEADER] ?? Number.POSITIVE_INFINITY);
  return Math.min(limit * timeLimitFactor - spent, leftByCaller);
}

/** @throws MalformedRequest if the caller is not a service, or if the header is not a number */
export function checkDeadlineHeader({ headers }: Request, { principal }: RequestContext): void {
  const header = headers[DEADLINE_HEADER];
  if (header === undefined) return;
  if (principal?.kind !== 'service') throw new MalformedRequest('X-Request-Deadline-Ms is for services only');
  if (typeof header !== 'string' || !/^\d{1,6}$/.test(header))
    throw new MalformedRequest('X-Request-Deadline-Ms must be a number of milliseconds');
}
