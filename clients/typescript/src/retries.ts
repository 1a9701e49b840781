import { ShopError } from './errors.ts';

export interface RetryOptions {
  /** Requests of one call at most, the first one included: 4 by default; 1 switches retries off. */
  tries?: number;
  /** Milliseconds that a call may take, pauses included, before it is not tried again: 30,000 by default. */
  totalMs?: number;
}

const FIRST_PAUSE_MS = 250;
/** Added at random, as a share of the pause, so that clients that were refused together do not return together. */
const JITTER = 0.25;
/** Without a response, from a proxy whose service is unavailable, or refused for now. */
const PASSING: ReadonlySet<string> = new Set(['network', 'timeout', 'idempotency_in_flight']);
const PASSING_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Repeats a call that may be repeated, after the pause that the shop asks for. @throws the error of the last attempt */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  { tries = 4, totalMs = 30_000 }: RetryOptions,
  signal: AbortSignal | undefined,
): Promise<T> {
  const start = Date.now();
  for (let count = 1; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ShopError && isPassing(error)) || count >= tries) throw error;
      const least =
        error.retryAfter === undefined ? FIRST_PAUSE_MS * 2 ** (count - 1) : error.retryAfter * 1000;
      const pause = least * (1 + Math.random() * JITTER);
      if (Date.now() - start + pause > totalMs) throw error;
      await sleep(pause, signal);
    }
  }
}

const isPassing = ({ code, status }: ShopError) => PASSING.has(code) || PASSING_STATUS.has(status);

/** Leaves no timer behind, which would keep a process of Node alive. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const pause = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return unlessAborted(signal, pause).finally(() => clearTimeout(timer));
}

/** Waits for work that goes on for others when this caller leaves. @throws the reason of the signal */
export async function unlessAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  let leave = () => {};
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave);
  });
  return Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', leave));
}
