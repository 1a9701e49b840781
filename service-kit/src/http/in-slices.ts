import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** Milliseconds that one turn of the event loop may spend on starting requests. */
const SLICE = 10;

/**
 * Spreads the start of requests that arrive together over several turns of the event loop, in their order. A rush of
 * several hundred would otherwise block it for a second, and timeouts would fire although the awaited data had arrived:
 * new database connections failed for this reason.
 */
export function inSlices(listener: RequestListener): RequestListener {
  const waiting: [request: IncomingMessage, response: ServerResponse][] = [];
  /** Undefined before the first request of this turn of the event loop. */
  let endOfSlice: number | undefined;

  const hasTime = (): boolean => {
    if (endOfSlice === undefined) {
      endOfSlice = performance.now() + SLICE;
      setImmediate(nextSlice);
    }
    return performance.now() < endOfSlice;
  };
  const nextSlice = (): void => {
    endOfSlice = undefined;
    while (waiting.length > 0 && hasTime()) {
      const [request, response] = waiting.shift() as (typeof waiting)[number];
      // Its client may have disconnected meanwhile.
      if (!response.destroyed) listener(request, response);
    }
  };

  return (request, response) => {
    if (waiting.length === 0 && hasTime()) listener(request, response);
    else waiting.push([request, response]);
  };
}
