import { prefixed } from './service-log.js';
import { supervise } from './supervise.js';

/**
 * @typedef {import('../processes.js').Launched} Launched
 *
 * @typedef {object} Kept
 * @property {string} name
 * @property {Launched} launched
 * @property {() => Launched} relaunch
 * @property {(launched: Launched) => Promise<void>} end
 */

/**
 * Keeps processes: noted in the run file, on the stack for the stop, and started again when they die.
 * @param {{ stack: import('../stack.js').Stack, runFile: import('./run-file.js').RunFile }} options
 */
export function createKeeper({ stack, runFile }) {
  /** @type {(reason: unknown) => void} */
  let giveUp = () => {};
  /** @type {Promise<never>} */
  const gaveUp = new Promise((_, reject) => {
    giveUp = reject;
  });
  // Whoever waits for it may come later than the rejection.
  gaveUp.catch(() => {});

  return {
    /** Rejects when a process dies too often. */
    gaveUp,
    /** @param {Kept} kept */
    keep({ name, launched, relaunch, end }) {
      runFile.child(name, launched.pid);
      /** @type {ReturnType<typeof supervise> | undefined} */
      let supervised;
      stack.push(name, () => end(supervised ? supervised.release() : launched));
      return {
        /** From now on it is started again when it dies. */
        supervise() {
          supervised = supervise({
            name,
            launched,
            relaunch: () => {
              const next = relaunch();
              runFile.child(name, next.pid);
              return next;
            },
            say: prefixed(name),
          });
          supervised.watched.catch(giveUp);
        },
      };
    },
  };
}

/** @typedef {ReturnType<typeof createKeeper>} Keeper */
