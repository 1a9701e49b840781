import { AsyncLocalStorage } from 'node:async_hooks';

/** Logs an unhandled error of a request and ends the request. Never throws. */
type EndRequest = (error: unknown) => void;

/** What all parts of some work share. */
interface Work {
  /** In milliseconds of `performance.now()`; undefined without a deadline. */
  readonly deadline: number | undefined;
  /** Undefined outside of requests, and for work shared by several. */
  readonly end: EndRequest | undefined;
}

const works = new AsyncLocalStorage<Work>();

const deadlineIn = (milliseconds: number) =>
  Number.isFinite(milliseconds) ? performance.now() + milliseconds : undefined;

/** Milliseconds left for the current work, at least 0; undefined for work without a deadline, such as jobs. */
export function remainingTime(): number | undefined {
  const deadline = works.getStore()?.deadline;
  return deadline === undefined ? undefined : Math.max(0, deadline - performance.now());
}

/** The shorter of a limit in milliseconds and the time left until the deadline. */
export function atMost(limit: number): number {
  return Math.min(limit, remainingTime() ?? limit);
}

/** Runs work under a deadline of so many milliseconds, or the deadline of the surrounding work if that is earlier. */
export function withinTime<T>(milliseconds: number, work: () => T): T {
  const deadline = deadlineIn(atMost(milliseconds));
  return deadline === undefined ? work() : works.run({ deadline, end: works.getStore()?.end }, work);
}

/**
 * Runs work with a deadline of its own: to clean up after work that ran out of time, or for work shared by several callers.
 * @param milliseconds Infinity for work without a deadline
 */
export function withOwnTime<T>(milliseconds: number, work: () => T): T {
  return works.run({ deadline: deadlineIn(milliseconds), end: undefined }, work);
}

/**
 * Runs the work of a request.
 * @param milliseconds Infinity for work without a deadline
 * @param end is called with an error outside of the work's promise, such as an `error` event without a listener
 */
export function asRequest<T>(milliseconds: number, end: EndRequest, work: () => T): T {
  return works.run({ deadline: deadlineIn(milliseconds), end }, work);
}

/** Ends the request in which an unhandled error occurred. @returns false if that request is not known */
export function endRequestOf(error: unknown): boolean {
  const end = works.getStore()?.end;
  end?.(error);
  return end !== undefined;
}
