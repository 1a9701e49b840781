import { AsyncLocalStorage } from 'node:async_hooks';

/** The deadline of the work in this context, in milliseconds of `performance.now()`. */
const deadlines = new AsyncLocalStorage<number | undefined>();

/** Milliseconds left for the current work, at least 0; undefined for work without a deadline, such as jobs. */
export function remainingTime(): number | undefined {
  const deadline = deadlines.getStore();
  return deadline === undefined ? undefined : Math.max(0, deadline - performance.now());
}

/** The shorter of a limit in milliseconds and the time left until the deadline. */
export function atMost(limit: number): number {
  return Math.min(limit, remainingTime() ?? limit);
}

/** Runs work under a deadline of so many milliseconds, or the deadline of the surrounding work if that is earlier. */
export function withinTime<T>(milliseconds: number, work: () => T): T {
  const limit = atMost(milliseconds);
  return Number.isFinite(limit) ? deadlines.run(performance.now() + limit, work) : work();
}

/**
 * Runs work with a deadline of its own: to clean up after work that ran out of time, or for work shared by several callers.
 * @param milliseconds Infinity for work without a deadline
 */
export function withOwnTime<T>(milliseconds: number, work: () => T): T {
  return deadlines.run(Number.isFinite(milliseconds) ? performance.now() + milliseconds : undefined, work);
}
