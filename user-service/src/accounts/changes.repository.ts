import type { AccountChange, ChangesPage, ReadChanges } from '@shop/service-kit/accounts/account-changes';
import { MAX_ACCESS_TOKEN_LIFETIME } from '@shop/service-kit/tokens/access-token';
import type { Prisma } from '../generated/prisma/client.ts';

const PAGE = 1000;
/** Changes that are numbered in one statement: more than a page, so that a page is full while any are left. */
const MAX_NUMBERED = 5000;
/** How much longer than one lifetime of an access token session changes are kept, in seconds. */
const SLACK = 600;

interface Row {
  /** What the page begins behind. */
  cursor: string;
  now: number;
  /** Null in the one row of an empty page, and so is all that follows. */
  number: string | null;
  type: AccountChange['type'];
  sessionId: string;
  voidBelow: number | null;
  /** Null for a single session. */
  userId: number | null;
  at: number;
}

/** What other services must know about accounts; triggers of the database write the rows. */
export function createChangesRepository(db: Prisma.TransactionClient) {
  /**
   * Numbers what was committed. Each statement holds a lock until its numbers can be seen, and gives none before it has
   * the lock: whoever has read up to a number has missed none below it, however long a change was left uncommitted.
   */
  const giveNumbers = () => db.$executeRaw`
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtext('account_changes')))
    UPDATE account_changes SET number = nextval('account_change_numbers')
      FROM turn
     WHERE number IS NULL AND id IN (
       SELECT id FROM account_changes WHERE number IS NULL ORDER BY id LIMIT ${MAX_NUMBERED}::int)`;

  const readChanges: ReadChanges = async (after) => {
    await giveNumbers();
    // A cursor above the last number is from before the database was restored from a backup: all is read again.
    const rows = await db.$queryRaw<Row[]>`
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

    /** Removes session changes that can void no token any more. @returns how many */
    async removeOld(size: number): Promise<number> {
      return db.$executeRaw`
        DELETE FROM account_changes WHERE id IN (
          SELECT id FROM account_changes
           WHERE type = 'session'
             AND changed_at < now() - make_interval(secs => ${MAX_ACCESS_TOKEN_LIFETIME + SLACK}::float8)
           LIMIT ${size}::int)`;
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
