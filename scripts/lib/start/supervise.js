import { Failure } from '../failure.js';
import { describe } from '../processes.js';

const WINDOW_MS = 60_000;
const DEATHS_IN_WINDOW = 5;
const FIRST_PAUSE_MS = 500;

/**
 * Starts a process again whenever it ends by itself, with growing pauses.
 * @param {object} options
 * @param {string} options.name
 * @param {import('../processes.js').Launched} options.launched the first one
 * @param {() => import('../processes.js').Launched} options.relaunch
 * @param {(text: string) => void} options.say
 */
export function supervise({ name, launched, relaunch, say }) {
  let current = launched;
  let stopping = false;
  let wake = () => {};

  /** @param {number} ms */
  const pause = (ms) =>
    new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  async function watch() {
    /** @type {number[]} */
    let deaths = [];
    for (;;) {
      const exit = await current.exited;
      if (stopping) return;
      const now = Date.now();
      deaths = [...deaths.filter((time) => now - time < WINDOW_MS), now];
      if (deaths.length >= DEATHS_IN_WINDOW) {
        throw new Failure(
          `${name} ended ${DEATHS_IN_WINDOW} times within a minute, the last time with ${describe(exit)}; giving up.`,
        );
      }
      const pauseMs = FIRST_PAUSE_MS * 2 ** (deaths.length - 1);
      say(`ended by itself (${describe(exit)}); starting it again in ${pauseMs / 1000} s`);
      await pause(pauseMs);
      if (stopping) return;
      current = relaunch();
    }
  }

  return {
    /** Rejects when it is given up, resolves after release(). */
    watched: watch(),
    /** No more restarts; answers the process that is to be stopped now. */
    release() {
      stopping = true;
      wake();
      return current;
    },
  };
}
