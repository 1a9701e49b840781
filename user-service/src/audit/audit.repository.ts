import { MOST_COUNTED, type TimeKey, type Window } from '@shop/service-kit/http/paging';
import { type Fragment, type Query, sql } from '@shop/service-kit/postgres/query';
import type { SecurityEventName, StoredEvent } from './audit.events.ts';
import type { AuditFilter } from './audit.schemas.ts';
import type { Origin } from './origin.ts';

export interface SecurityEvent {
  event: SecurityEventName;
  /** Whom it concerns; undefined for a name that no account has. */
  userId: number | undefined;
  /** Who did it; undefined when not signed in. */
  actorId?: number | undefined;
  /** Undefined for what no request caused. */
  origin: Origin | undefined;
  /** Nothing personal: it outlives the user. */
  details?: Record<string, string | number>;
}

/**
 * The audit trail. With the statements of a transaction, an event is recorded if and only if what it reports was done.
 * @param query for lists, one that plans each statement for its values: each filter has an index of its own
 */
export function createAuditRepository(query: Query) {
  return {
    /**
     * No address of a user who was deleted meanwhile is recorded.
     * @param isAlone the events belong to no change, and wait for a deletion that is being committed. Those of a change must
     *   not: the deletion may be waiting for the change, and finds its events
     */
    async record(events: SecurityEvent[], isAlone = false): Promise<void> {
      if (events.length === 0) return;
      const rows = events.map(({ event, userId, actorId, origin, details }) => ({
        event,
        user_id: userId,
        actor_id: actorId,
        ip: origin?.ip,
        user_agent: origin?.userAgent,
        request_id: origin?.requestId,
        details: details ?? {},
      }));
      await query`
        WITH it AS (
          SELECT *, coalesce(actor_id, user_id) AS client FROM json_to_recordset(${JSON.stringify(rows)}::json)
            AS it (event text, user_id int, actor_id int, ip text, user_agent text, request_id text, details jsonb)
        ), known AS (
          SELECT id FROM users WHERE id IN (SELECT client FROM it) ORDER BY id ${isAlone ? sql`FOR KEY SHARE` : sql``}
        )
        INSERT INTO security_events (event, user_id, actor_id, ip, user_agent, request_id, details)
        SELECT event, user_id, actor_id, CASE WHEN is_there THEN ip END, CASE WHEN is_there THEN user_agent END,
               request_id, details
          FROM it, LATERAL (SELECT client IS NULL OR client IN (SELECT id FROM known) AS is_there) AS of_client`;
    },

    /** Newest first, one row more than the window shows. */
    async list(filter: AuditFilter, { limit, offset, after }: Window<TimeKey>): Promise<StoredEvent[]> {
      const behind =
        after === undefined
          ? sql``
          : sql`AND (created_at, id) < (${after[0]}::timestamptz, ${after[1]}::bigint)`;
      const rows = await query<(Omit<StoredEvent, 'id'> & { id: string })[]>`
        SELECT id, event, user_id AS "userId", actor_id AS "actorId", ip, user_agent AS "userAgent",
               request_id AS "requestId", details, created_at AS "createdAt"
          FROM security_events WHERE ${matching(filter)} ${behind}
         ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}::int OFFSET ${offset}::int`;
      return rows.map((row) => ({ ...row, id: Number(row.id) }));
    },

    /** Up to MOST_COUNTED: counting on would read a large part of the table at each request. */
    async count(filter: AuditFilter): Promise<number> {
      const [row] = await query<[{ total: number }]>`
        SELECT count(*)::int AS total
          FROM (SELECT 1 FROM security_events WHERE ${matching(filter)} LIMIT ${MOST_COUNTED}::int) AS counted`;
      return row.total;
    },

    /**
     * Removes the personal data of a deleted user from the next events: where they acted from, and where others tried to
     * log in to their account. For a user who is still there it does nothing.
     * @returns from how many, at most `size`
     */
    async forgetOrigins(userId: number, size: number): Promise<number> {
      const [row] = await query<[{ count: number }]>`
        SELECT forget_event_origins(${userId}::int, ${size}::int) AS count`;
      return row.count;
    },

    /** Adds the job that does the same to all events that are left, in the transaction of the deletion. */
    async forgetOriginsLater(userId: number): Promise<void> {
      await query`SELECT jobs.add('forget_origins', json_build_object('user_id', ${userId}::int))::text`;
    },

    /** @param days at least 7: the trail of the last week cannot be removed. @returns how many were removed */
    async removeOld(days: number, size: number): Promise<number> {
      const [row] = await query<[{ count: number }]>`
        SELECT remove_old_events(${days}::int, ${size}::int) AS count`;
      return row.count;
    },
  };
}

function matching({ user_id: userId, event, from, to }: AuditFilter): Fragment {
  const conditions = [
    userId === undefined ? [] : sql`AND user_id = ${userId}::int`,
    event === undefined ? [] : sql`AND event = ${event}`,
    from === undefined ? [] : sql`AND created_at >= ${from}::timestamptz`,
    to === undefined ? [] : sql`AND created_at <= ${to}::timestamptz`,
  ].flat();
  return { strings: ['TRUE ', ...conditions.map(() => ' ')], values: conditions };
}

export type AuditRepository = ReturnType<typeof createAuditRepository>;
