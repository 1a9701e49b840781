import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import type { Launched } from '../processes.ts';
import type { Stack } from '../stack.ts';
import { prefixed } from './service-log.ts';

const WINDOW_MS = 60_000;
const DEATHS_IN_WINDOW = 5;
const FIRST_PAUSE_MS = 500;

interface Kept {
  name: string;
  /** The first process. */
  launched: Launched;
  relaunch: () => Launched;
  end: (launched: Launched) => Promise<void>;
}

/**
 * Restarts processes that end unexpectedly, after growing pauses.
 * @param stack ends them in the reverse order
 */
export function createKeeper(stack: Stack) {
  let giveUp: (reason: unknown) => void;
  const gaveUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  // Prevents an unhandled rejection if it is awaited later.
  gaveUp.catch(() => {});
  return {
    /** Rejects when a process ends too often. */
    gaveUp,
    keep({ name, launched, relaunch, end }: Kept) {
      let current = launched;
      const stopping = new AbortController();
      stack.push(name, () => {
        stopping.abort();
        return end(current);
      });
      const watch = async () => {
        let deaths: number[] = [];
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
      return { supervise: () => void watch().catch((error) => giveUp(error)) };
    },
  };
}

export type Keeper = ReturnType<typeof createKeeper>;
