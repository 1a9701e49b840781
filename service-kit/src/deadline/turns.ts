import { Busy } from '../errors/http-errors.ts';
import { atMost } from './deadline.ts';

interface TurnsOptions {
  /** How much work runs at the same time. */
  atOnce: number;
  /** Callers that may wait for their turn. */
  waiting: number;
  /** How long a caller may wait, in milliseconds; never longer than its request has left. */
  patience: number;
}

/** A bounded queue. Runs the work when its turn comes. @throws Busy when the queue is full or no turn came in time */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** First come, first served. */
export function createTurns({ atOnce, waiting, patience }: TurnsOptions): Turns {
  const queue = new Set<() => void>();
  let running = 0;

  const enter = (): Promise<void> | undefined => {
    if (running < atOnce) {
      running += 1;
      return undefined;
    }
    if (queue.size >= waiting) throw new Busy();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        queue.delete(proceed);
        reject(new Busy());
      }, atMost(patience));
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
