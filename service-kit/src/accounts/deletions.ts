import type { Query } from '../postgres/query.ts';
import type { ReadChanges } from './account-changes.ts';

interface DeletionsOptions {
  readChanges: ReadChanges;
  /** For a database with the tables `account_feed` and `deleted_users`. */
  query: Query;
}

/**
 * Records in one statement the deleted users, a job `erase_user` for each, and how far this service has read. A service that
 * was down for long, or was restored from a backup, continues where it stopped.
 */
export function createDeletions({ readChanges, query }: DeletionsOptions) {
  const readCursor = async () => {
    const [row] = await query<{ cursor: string }[]>`SELECT cursor FROM account_feed`;
    return row?.cursor ?? '0';
  };
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

  return {
    /** Reads all new changes. Several processes may do this at the same time; repeating it is harmless. */
    async readNew(signal: AbortSignal): Promise<void> {
      let cursor = await readCursor();
      for (let more = true; more && !signal.aborted; ) {
        const page = await readChanges(cursor);
        const users = page.changes.flatMap((change) =>
          change.type === 'user_deleted' ? [change.user_id] : [],
        );
        if (page.next !== cursor) await note([...new Set(users)], page.next);
        cursor = page.next;
        more = page.more;
      }
    },
  };
}
