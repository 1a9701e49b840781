import { availableParallelism } from 'node:os';
import { createTurns, type Turns } from '@shop/service-kit/deadline/turns';

const MAX_WAITING = 500;
/** How long a request may wait, in milliseconds. */
const MAX_WAIT = 10_000;

/**
 * Where requests with a password wait, once and before any work is done for them. Slow hashes must leave threads of
 * libuv's pool to DNS and files, and a rush of logins must leave database connections to others.
 * @param threads `UV_THREADPOOL_SIZE` as libuv reads it
 */
export const createPasswordQueue = (threads: number): Turns =>
  createTurns({ concurrency: concurrentPasswords(threads), maxWaiting: MAX_WAITING, maxWait: MAX_WAIT });

/**
 * Requests in progress at once: every core hashes while one more request waits for the database, and at least one thread
 * of libuv's pool stays free.
 */
export const concurrentPasswords = (threads: number, cores = availableParallelism()) =>
  Math.max(1, Math.min(cores + 1, threads - 1));
