import { AsyncLocalStorage } from 'node:async_hooks';

/** Logs an unhandled error of a request and ends the request. Never throws. */
type EndRequest = (error: unknown) => void;

/**
 * Finds the request that an unhandled error belongs to. Only used for handlers of streams: tracking every request would slow
 * down each promise of the process (Node 20), and failures of other handlers reject their promise anyway.
 */
const scopes = new AsyncLocalStorage<EndRequest>();
let running = 0;

/** Runs a handler. Errors outside its promise, such as an unhandled `error` event, are passed to `end`. */
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

/** Ends the request in which an unhandled error occurred. Returns false if that request is not known. */
export function endRequestOf(error: unknown): boolean {
  const end = scopes.getStore();
  end?.(error);
  return end !== undefined;
}
