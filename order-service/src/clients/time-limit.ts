/**
 * Aborts after so many milliseconds and one more turn of the event loop: where this process itself was busy for so
 * long, the response may be waiting to be read, and is no failure of product-service.
 */
export function timeLimit(milliseconds: number) {
  const controller = new AbortController();
  const timer = setTimeout(() => setImmediate(() => setImmediate(() => controller.abort())), milliseconds);
  return {
    signal: controller.signal,
    clear: () => clearTimeout(timer),
    isAborted: () => controller.signal.aborted,
  };
}
