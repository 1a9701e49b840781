import { Busy } from '../errors/http-errors.ts';
import { atMost } from './deadline.ts';

interface TurnsOptions {
  /** Calls that run at the same time. */
  concurrency: number;
  /** Callers that may wait for their turn. */
  maxWaiting: number;
  /** Longest wait of a caller in milliseconds; never longer than its request has left. */
  maxWait: number;
}

/** A bounded queue. @throws Busy when the queue is full or the work could not start in time */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** Runs work in the order of arrival, with bounded concurrency. */
export function createTurns({ concurrency, maxWaiting, maxWait }: TurnsOptions): Turns {
  const queue = new Set<() => void>();
  let running = 0;

  const enter = (): Promise<void> | undefined => {
    if (running < concurrency) {
      running += 1;
      return undefined;
    }
    if (queue.size >= maxWaiting) throw new Busy();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        queue.delete(proceed);
        reject(new Busy());
      }, atMost(maxWait));
      const proceed = () => {
        clearTimeout(timer);
        resolve();
      };
      queue.add(proceed);
    });
  };
  const leave = () => {
    const [next] = queue;
    if (next === undefined) {
      running -= 1;
      return;
    }
    queue.delete(next);
    next();
  };

  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
