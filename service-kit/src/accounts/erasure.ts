import { z } from 'zod';
import { inBatches } from '../jobs/in-batches.ts';
import type { Task } from '../jobs/job-runner.ts';
import type { PeriodicTask } from '../jobs/start-jobs.ts';
import type { Query } from '../postgres/query.ts';
import type { ReadChanges } from './account-changes.ts';
import { createDeletions } from './deletions.ts';

/** Milliseconds between two reads: the data of a deleted user is erased within 10 s (docs/http-api.md). */
const READ_INTERVAL = 2000;
/** Rows per batch. */
const SIZE = 500;

const payload = z.object({ user_id: z.int() });

interface ErasureOptions {
  /** Missing without `USER_SERVICE_URL`: then deletions are not known. */
  readChanges: ReadChanges | undefined;
  /** For a database with the tables `account_feed` and `deleted_users`. */
  query: Query;
  /**
   * Erases a user's data in the next rows, at most `size`, with ids above `after`. May be called again for rows that are
   * already erased.
   * @returns the ids of the rows examined, ascending
   */
  eraseBatch: (userId: number, after: number, size: number) => Promise<number[]>;
}

/** For `startJobs`. */
export interface Erasure {
  tasks: Record<string, Task>;
  periodic: Record<string, PeriodicTask>;
}

/** The jobs that erase the data of deleted users in a service, retried until they succeed. */
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
