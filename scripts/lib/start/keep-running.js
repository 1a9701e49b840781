import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.js';
import { prefixed } from './service-log.js';

const WINDOW_MS = 60_000;
const DEATHS_IN_WINDOW = 5;
const FIRST_PAUSE_MS = 500;

/**
 * @typedef {import('../processes.js').Launched} Launched
 *
 * @typedef {object} Kept
 * @property {string} name
 * @property {Launched} launched the first process
 * @property {() => Launched} relaunch
 * @property {(launched: Launched) => Promise<void>} end
 */

/**
 * Restarts processes that end unexpectedly, after growing pauses.
 * @param {import('../stack.js').Stack} stack ends them in the reverse order
 */
export function createKeeper(stack) {
  const { promise: gaveUp, reject: giveUp } = withResolvers();
  return {
    /** Rejects when a process ends too often. */
    gaveUp,
    /** @param {Kept} kept */
    keep({ name, launched, relaunch, end }) {
      let current = launched;
      const stopping = new AbortController();
      stack.push(name, () => {
        stopping.abort();
        return end(current);
      });
      const watch = async () => {
        /** @type {number[]} */
        let deaths = [];
        for (;;) {
          const reason = await current.exited;
          if (stopping.signal.aborted) return;
          deaths = [...deaths.filter((time) => Date.now() - time < WINDOW_MS), Date.now()];
          if (deaths.length === DEATHS_IN_WINDOW)
            throw new Failure(
              `${name} ended ${DEATHS_IN_WINDOW} times within a minute, last with ${reason}; giving up.`,
            );
          const pauseMs = FIRST_PAUSE_MS * 2 ** (deaths.length - 1);
          prefixed(name)(`ended unexpectedly (${reason}); starting it again in ${pauseMs / 1000} s`);
          await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
          if (stopping.signal.aborted) return;
          current = relaunch();
        }
      };
      /** From now on it is restarted when it ends. */
      return { supervise: () => void watch().catch(giveUp) };
    },
  };
}

/** @typedef {ReturnType<typeof createKeeper>} Keeper */

function withResolvers() {
  /** @type {(reason: unknown) => void} */
  let reject = () => {};
  /** @type {Promise<never>} */
  const promise = new Promise((_, rejectIt) => {
    reject = rejectIt;
  });
  // Prevents an unhandled rejection if it is awaited later.
  promise.catch(() => {});
  return { promise, reject };
}
