import { Busy } from './password.errors.ts';

interface HashQueueOptions {
  /** Hashes that run at the same time; each takes a core and a thread of libuv's pool. */
  atOnce: number;
  /** Callers that may wait for one. */
  maxWaiting?: number;
  /** How long a caller may wait, in milliseconds. */
  maxWait?: number;
}

export interface HashQueue {
  /** Runs the work when its turn comes. @throws Busy when the queue is full or the turn did not come in time */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Keeps slow hashes from taking all cores and all threads, which DNS and file reads need as well. */
export function createHashQueue({ atOnce, maxWaiting = 50, maxWait = 5000 }: HashQueueOptions): HashQueue {
  const waiting = new Set<() => void>();
  let running = 0;

  const enter = (): Promise<void> => {
    if (running < atOnce) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting.size >= maxWaiting) return Promise.reject(new Busy());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(enterNow);
        reject(new Busy());
      }, maxWait);
      const enterNow = () => {
        clearTimeout(timer);
        resolve();
      };
      waiting.add(enterNow);
    });
  };
  const leave = () => {
    const [next] = waiting;
    if (next === undefined) {
      running -= 1;
      return;
    }
    // The place goes to the one who waited longest.
    waiting.delete(next);
    next();
  };

  return {
    async run(work) {
      await enter();
      return work().finally(leave);
    },
  };
}
