import { z } from 'zod';
import { inBatches } from '../jobs/in-batches.ts';
import type { Task } from '../jobs/job-runner.ts';
import type { PeriodicTask } from '../jobs/start-jobs.ts';
import type { Query } from '../postgres/query.ts';
import type { ReadChanges } from './account-changes.ts';
import { createDeletions } from './deletions.ts';

/** Milliseconds: what a deleted user leaves is gone within 10 s (the HTTP contract). */
const READ_INTERVAL = 2000;
/** Rows of a batch. */
const SIZE = 500;

const payload = z.object({ user_id: z.int() });

interface ErasureOptions {
  /** Missing without `USER_SERVICE_URL`: nothing is known of deletions then. */
  readChanges: ReadChanges | undefined;
  /** Of a database with the tables `account_feed` and `deleted_users`. */
  query: Query;
  /**
   * Erases what is a user's in the next rows, at most `size`, with ids above `after`. It may be called again for rows that it
   * has erased.
   * @returns the ids of the rows that it looked at, ascending
   */
  eraseBatch: (userId: number, after: number, size: number) => Promise<number[]>;
}

/** For `startJobs`. */
export interface Erasure {
  tasks: Record<string, Task>;
  periodic: Record<string, PeriodicTask>;
}

/** The jobs that erase what deleted users have left in a service, tried again until they are done. */
export function createErasure({ readChanges, query, eraseBatch }: ErasureOptions): Erasure {
  return {
    tasks: {
      async erase_user(input, signal) {
        const { user_id: userId } = payload.parse(input);
        let last = 0;
        const eraseSome = async (size: number) => {
          const ids = await eraseBatch(userId, last, size);
          last = ids.at(-1) ?? last;
          return ids.length;
        };
        await inBatches(eraseSome, { signal, size: SIZE, budget: Number.POSITIVE_INFINITY });
        // Otherwise a job that was stopped between two batches would count as done.
        signal.throwIfAborted();
      },
    },
    periodic:
      readChanges === undefined
        ? {}
        : { read_deletions: { every: READ_INTERVAL, run: createDeletions({ readChanges, query }).readNew } },
  };
}
