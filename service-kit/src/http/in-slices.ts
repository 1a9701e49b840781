import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** What one turn of the event loop may spend on beginning requests, in milliseconds. */
const SLICE = 10;

/**
 * Begins requests that arrive together over several turns of the event loop, in their order. A rush of several hundred
 * would otherwise hold it for a second, in which time limits pass although what they wait for has long arrived: new
 * connections to the database failed so.
 */
export function inSlices(listener: RequestListener): RequestListener {
  const waiting: [request: IncomingMessage, response: ServerResponse][] = [];
  /** Of this turn of the event loop; undefined before its first request. */
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
      // Whoever has left meanwhile needs nothing any more.
      if (!response.destroyed) listener(request, response);
    }
  };

  return (request, response) => {
    if (waiting.length === 0 && hasTime()) listener(request, response);
    else waiting.push([request, response]);
  };
}
