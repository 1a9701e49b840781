import type { Request } from 'express';
import { withinTime } from '../deadline/deadline.ts';
import { MalformedRequest } from '../errors/http-errors.ts';
import type { Route } from './define-route.ts';
import type { RequestContext } from './request-context.ts';

/** What a service that calls another one leaves it, in milliseconds. */
export const DEADLINE_HEADER = 'x-request-deadline-ms';

/**
 * What the work for a request may take, in milliseconds: the HTTP contract's 2 s and 12 s, less a little for cleaning up
 * and for the way back. `steps` has a limit for each step instead.
 */
const LIMITS = { usual: 1800, password: 11_500, steps: undefined } as const;

export type Patience = keyof typeof LIMITS;

/**
 * Runs the work for a request under its deadline, which begins when the request has arrived as a whole: a slow client
 * does not use it up.
 * @param patience multiplies the limits, where a wait tells less of the service than of the machine
 */
export function underDeadline<T>(
  route: Route,
  request: Request,
  context: RequestContext,
  patience: number,
  work: () => T,
): T {
  const limit = LIMITS[route.patience ?? (route.stream === undefined ? 'usual' : 'steps')];
  if (limit === undefined) return work();
  const spent = route.body === undefined ? performance.now() - context.startedAt : 0;
  return withinTime(Math.min(limit * patience - spent, leftByCaller(request)), work);
}

function leftByCaller({ headers }: Request): number {
  const header = headers[DEADLINE_HEADER];
  return header === undefined ? Number.POSITIVE_INFINITY : Number(header);
}

/** @throws MalformedRequest when anybody but a service sets a deadline, or when it is no number */
export function checkDeadlineHeader({ headers }: Request, { principal }: RequestContext): void {
  const header = headers[DEADLINE_HEADER];
  if (header === undefined) return;
  if (principal?.kind !== 'service') throw new MalformedRequest('X-Request-Deadline-Ms is for services only');
  if (typeof header !== 'string' || !/^\d{1,6}$/.test(header))
    throw new MalformedRequest('X-Request-Deadline-Ms must be a number of milliseconds');
}
