import { availableParallelism } from 'node:os';
import { createTurns, type Turns } from '@shop/service-kit/deadline/turns';

const MAX_WAITING = 500;
/** How long a request may wait, in milliseconds. */
const MAX_WAIT = 10_000;

/**
 * Where requests with a password wait, once and before anything is done for them: slow hashes must not take all threads
 * of libuv's pool, which DNS and file reads need as well, nor a rush of sign-ins all database connections.
 * @param threads `UV_THREADPOOL_SIZE` as libuv reads it
 */
export const createPasswordQueue = (threads: number): Turns =>
  createTurns({ atOnce: passwordsAtOnce(threads), waiting: MAX_WAITING, patience: MAX_WAIT });

/**
 * Requests of a process that are worked on at once: every core hashes while one more request is at the database, and at
 * least one thread of libuv's pool is free for everything else.
 */
const passwordsAtOnce = (threads: number) => Math.max(1, Math.min(availableParallelism() + 1, threads - 1));
