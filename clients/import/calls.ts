import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, reasonOf } from '../../scripts/lib/failure.ts';
import { say } from '../../scripts/lib/terminal.ts';
import { ShopError } from '../typescript/src/index.ts';

/** How many pauses of one call at most. */
const PAUSES = 20;

/**
 * For commands that nobody waits for: repeats a call after each pause that the shop asks for, and says so.
 * @param statuses of responses with `Retry-After`
 */
export async function patiently<T>(call: () => Promise<T>, statuses: number[], signal?: AbortSignal) {
  for (let pauses = 0; ; pauses++) {
    try {
      return await call();
    } catch (error) {
      const { status = 0, retryAfter } = error instanceof ShopError ? error : {};
      if (!statuses.includes(status) || retryAfter === undefined || pauses === PAUSES) throw error;
      const seconds = Math.max(1, retryAfter);
      say(`The shop asks for a pause of ${seconds} s …`);
      await sleep(seconds * 1000, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
}

/** @throws Failure with `what`, and the shop's reason */
export async function explained<T>(what: string, call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    if (!(error instanceof ShopError)) throw error;
    const { status, message, cause } = error;
    if (status !== 0) throw new Failure(`${what}: ${status} ${message}`);
    const reason = cause instanceof Error ? ` (${reasonOf(cause.cause ?? cause)})` : '';
    throw new Failure(`${message}${reason}. Start the shop with: npm start`);
  });
}
