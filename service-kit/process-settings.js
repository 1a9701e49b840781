import { availableParallelism } from 'node:os';

/**
 * The environment that the process of a service starts with, in addition to its configuration; deploy/Dockerfile has the same.
 * On a machine with much memory V8 and glibc let garbage pile up: under load a service held 225 to 374 MB, of which
 * 50 were in use. With these it stays under 150 (`npm run bench`). Semi-spaces of 4 MB instead of 8 hold 10 MB less,
 * and take a sixth more processor time for a list that is not cached.
 * libuv's threads: one for each core, all of which may be hashing passwords, and four for DNS and files.
 */
export const PROCESS_SETTINGS = {
  NODE_OPTIONS: '--max-semi-space-size=8 --max-old-space-size=192',
  MALLOC_ARENA_MAX: '1',
  UV_THREADPOOL_SIZE: String(availableParallelism() + 4),
};
