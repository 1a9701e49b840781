import { setImmediate as nextTurn } from 'node:timers/promises';
import { Unavailable } from '@shop/service-kit/errors/http-errors';
import { ImportRunning } from './import.errors.ts';

/** Imports that one process runs at once. Each takes a connection and most of a core. */
const MAX_RUNNING = 4;
/** When to try again, in seconds. */
const RETRY_AFTER = 10;

export function createImportSlots() {
  const running = new Set<number>();
  let lastTurn: Promise<unknown> = Promise.resolve();
  return {
    /** @throws ImportRunning if this user has an import running here, Unavailable if too many imports are running */
    async use<Result>(userId: number, run: () => Promise<Result>): Promise<Result> {
      if (running.has(userId)) throw new ImportRunning();
      if (running.size >= MAX_RUNNING)
        throw new Unavailable('Too many imports are running; try again later', RETRY_AFTER);
      running.add(userId);
      return run().finally(() => running.delete(userId));
    },
    /** Yields to requests and other imports: only one import gets a turn per round of the event loop. */
    turn(): Promise<unknown> {
      lastTurn = lastTurn.then(() => nextTurn());
      return lastTurn;
    },
  };
}
