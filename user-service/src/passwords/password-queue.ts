import { availableParallelism } from 'node:os';
import { withinTime } from '@shop/service-kit/deadline/deadline';
import { Busy } from './password.errors.ts';

interface PasswordQueueOptions {
  /** Requests that are worked on at the same time; each may take a core and a thread of libuv's pool. */
  atOnce: number;
  /** Requests that may wait for that. */
  maxWaiting?: number;
  /** How long one may wait, in milliseconds. */
  maxWait?: number;
  /** What a request may take from its turn on, in milliseconds. */
  maxWork?: number;
}

export interface PasswordQueue {
  /** Runs the work when its turn comes. @throws Busy when the queue is full or the turn did not come in time */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Where requests with a password wait, once and before anything is done for them: slow hashes must not take all threads
 * of libuv's pool, which DNS and file reads need as well, nor a rush of sign-ins all database connections.
 */
export function createPasswordQueue({
  atOnce,
  maxWaiting = 500,
  maxWait = 10_000,
  maxWork = 1800,
}: PasswordQueueOptions): PasswordQueue {
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
      return withinTime(maxWork, work).finally(leave);
    },
  };
}

/**
 * Requests of a process that are worked on at once: every core hashes while one more request is at the database, and at
 * least one thread of libuv's pool is free for everything else.
 * @param threads `UV_THREADPOOL_SIZE` as libuv reads it
 */
export const passwordsAtOnce = (threads: number) =>
  Math.max(1, Math.min(availableParallelism() + 1, threads - 1));
