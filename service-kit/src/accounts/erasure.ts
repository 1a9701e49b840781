import { z } from 'zod';
import { inBatches } from '../jobs/in-batches.ts';
import type { Task } from '../jobs/job-runner.ts';
import type { PeriodicTask } from '../jobs/start-jobs.ts';
import type { Query } from '../postgres/query.ts';
import type { ReadChanges } from './account-changes.ts';

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
    periodic: {
      ...(readChanges && {
        read_deletions: {
          every: READ_INTERVAL,
          run: (signal: AbortSignal) => readDeletions(readChanges, query, signal),
        },
      }),
    },
  };
}

/**
 * Reads all new changes, and records in one statement the deleted users, a job `erase_user` for each, and how far this
 * service has read. A service that was down for long, or was restored from a backup, continues where it stopped. Several
 * processes may do this at the same time; repeating it is harmless.
 */
async function readDeletions(readChanges: ReadChanges, query: Query, signal: AbortSignal): Promise<void> {
  const note = (users: number[], next: string) => query`
    WITH noted AS (
      INSERT INTO deleted_users (user_id) SELECT unnest(${users}::int[])
      ON CONFLICT (user_id) DO UPDATE SET noted_at = now() RETURNING user_id
    ), job AS MATERIALIZED (
      SELECT jobs.add('erase_user', json_build_object('user_id', user_id), 'erase_user:' || user_id) FROM noted
    ), moved AS (
      INSERT INTO account_feed (cursor) VALUES (${next}) ON CONFLICT (only_row) DO UPDATE SET cursor = excluded.cursor
    )
    SELECT count(*)::int FROM job`;

  const [row] = await query<{ cursor: string }[]>`SELECT cursor FROM account_feed`;
  let cursor = row?.cursor ?? '0';
  for (let more = true; more && !signal.aborted; ) {
    const page = await readChanges(cursor);
    const users = page.changes.flatMap((change) => (change.type === 'user_deleted' ? [change.user_id] : []));
    if (page.next !== cursor) await note([...new Set(users)], page.next);
    cursor = page.next;
    more = page.more;
  }
}
