import { AsyncLocalStorage } from 'node:async_hooks';

/** When the work that runs in this context must be over, in milliseconds of `performance.now()`. */
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
 * Runs work with time of its own: cleaning up after work that had too little, or what several callers wait for.
 * @param milliseconds Infinity for work without a deadline
 */
export function withOwnTime<T>(milliseconds: number, work: () => T): T {
  return deadlines.run(Number.isFinite(milliseconds) ? performance.now() + milliseconds : undefined, work);
}
