import { AsyncLocalStorage } from 'node:async_hooks';

/** The deadline of the work in this context, in milliseconds of `performance.now()`. */
const deadlines = new AsyncLocalStorage<number | undefined>();

/** Milliseconds that the work in progress may still take, from 0; undefined for work without a deadline, such as jobs. */
export function remainingTime(): number | undefined {
  const deadline = deadlines.getStore();
  return deadline === undefined ? undefined : Math.max(0, deadline - performance.now());
}

/** The shorter of a limit in milliseconds and what is left of the deadline. */
export function atMost(limit: number): number {
  return Math.min(limit, remainingTime() ?? limit);
}

/** Runs work that must be over in so many milliseconds, and not later than the work around it. */
export function withinTime<T>(milliseconds: number, work: () => T): T {
  const limit = atMost(milliseconds);
  return Number.isFinite(limit) ? deadlines.run(performance.now() + limit, work) : work();
}

/**
 * Runs work with its own deadline: for cleaning up after work that ran out of time, or for work that several callers share.
 * @param milliseconds Infinity for work without a deadline
 */
export function withOwnTime<T>(milliseconds: number, work: () => T): T {
  return deadlines.run(Number.isFinite(milliseconds) ? performance.now() + milliseconds : undefined, work);
}
