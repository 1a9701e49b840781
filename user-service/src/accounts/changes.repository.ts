import type { AccountChange, ChangesPage, ReadChanges } from '@shop/service-kit/accounts/account-changes';
import type { Query } from '@shop/service-kit/postgres/query';
import { MAX_ACCESS_TOKEN_LIFETIME } from '@shop/service-kit/tokens/access-token';

const PAGE = 1000;
/** Changes numbered by one statement: more than a page, so that only the last page is not full. */
const MAX_NUMBERED = 5000;
/** Seconds that session changes are kept beyond the lifetime of an access token. */
const SLACK = 600;

interface Row {
  /** The page begins after it. */
  cursor: string;
  now: number;
  /** Null, like all that follows, in the only row of an empty page. */
  number: string | null;
  type: AccountChange['type'];
  sessionId: string;
  voidBelow: number | null;
  /** Null for a single session. */
  userId: number | null;
  at: number;
}

/** What other services must know about accounts; triggers of the database write the rows. */
export function createChangesRepository(query: Query) {
  /**
   * Numbers committed changes. A lock is held until the numbers are visible, and none is given without it: a reader that
   * has read up to a number has missed none below it, however long a change stayed uncommitted.
   */
  const numberChanges = () => query`
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtext('account_changes')))
    UPDATE account_changes SET number = nextval('account_change_numbers')
      FROM turn
     WHERE number IS NULL AND id IN (
       SELECT id FROM account_changes WHERE number IS NULL ORDER BY id LIMIT ${MAX_NUMBERED}::int)`;

  const readChanges: ReadChanges = async (after) => {
    await numberChanges();
    // A cursor above the last number is from before a restore of the database: everything is read again.
    const rows = await query<Row[]>`
      WITH start AS (
        SELECT CASE
          WHEN ${after ?? null}::bigint IS NULL THEN coalesce(
            (SELECT min(number) - 1 FROM account_changes
              WHERE changed_at > now() - make_interval(secs => ${MAX_ACCESS_TOKEN_LIFETIME}::float8)),
            (SELECT max(number) FROM account_changes), 0)
          WHEN ${after ?? null}::bigint > (SELECT last_value FROM account_change_numbers) THEN 0
          ELSE ${after ?? null}::bigint END AS cursor
      ), page AS (
        SELECT * FROM account_changes WHERE number > (SELECT cursor FROM start)
         ORDER BY number LIMIT ${PAGE}::int + 1
      )
      SELECT start.cursor::text, extract(epoch FROM clock_timestamp())::float8 AS now, page.number::text, page.type,
             page.session_id::text AS "sessionId", page.void_below AS "voidBelow", page.user_id AS "userId",
             extract(epoch FROM page.changed_at)::float8 AS at
        FROM start LEFT JOIN page ON true ORDER BY page.number`;
    return toPage(rows);
  };

  return {
    readChanges,

    /** Removes session changes whose tokens have expired. @returns how many */
    async removeOld(size: number): Promise<number> {
      const removed = await query`
        DELETE FROM account_changes WHERE id IN (
          SELECT id FROM account_changes
           WHERE type = 'session'
             AND changed_at < now() - make_interval(secs => ${MAX_ACCESS_TOKEN_LIFETIME + SLACK}::float8)
           LIMIT ${size}::int)
        RETURNING id`;
      return removed.length;
    },
  };
}

function toPage(rows: Row[]): ChangesPage {
  const numbered = rows.filter((row) => row.number !== null).slice(0, PAGE);
  return {
    changes: numbered.map(toChange),
    next: numbered.at(-1)?.number ?? rows[0]?.cursor ?? '0',
    more: rows.length > PAGE,
    now: rows[0]?.now ?? 0,
  };
}

function toChange({ type, sessionId, voidBelow, userId, at }: Row): AccountChange {
  if (type === 'user_deleted') return { type, user_id: Number(userId), at };
  return {
    type,
    session_id: sessionId,
    void_below: voidBelow,
    ...(userId === null ? {} : { user_id: userId }),
    at,
  };
}
