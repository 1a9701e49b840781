import { AsyncLocalStorage } from 'node:async_hooks';

/** What a stray error of a request does to it: logs the error and ends the request. Never throws. */
type EndRequest = (error: unknown) => void;

/**
 * Which request a stray error belongs to. Only for handlers of streams: following every request costs each promise of
 * the process (Node 20), and other handlers are promises whose failures become responses anyway.
 */
const scopes = new AsyncLocalStorage<EndRequest>();
let running = 0;

/** Runs a handler; what fails in it outside the promise that it returns, such as an `error` event, is passed to `end`. */
export async function inRequestScope<Result>(
  end: EndRequest,
  handle: () => Promise<Result>,
): Promise<Result> {
  running += 1;
  try {
    return await scopes.run(end, handle);
  } finally {
    running -= 1;
    if (running === 0) scopes.disable();
  }
}

/** Ends the request in which a stray error happened. False when that cannot be told. */
export function endRequestOf(error: unknown): boolean {
  const end = scopes.getStore();
  end?.(error);
  return end !== undefined;
}
