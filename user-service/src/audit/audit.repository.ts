import type { Window } from '@shop/service-kit/http/paging';
import { Prisma } from '../generated/prisma/client.ts';
import type { SecurityEventName } from './audit.events.ts';
import type { AuditAnswer, AuditFilter, AuditKey } from './audit.schemas.ts';
import type { Origin } from './origin.ts';

export interface SecurityEvent {
  event: SecurityEventName;
  /** Whom it concerns; undefined for somebody who has no account. */
  userId: number | undefined;
  /** Who did it; undefined for somebody who was not signed in. */
  actorId?: number | undefined;
  /** Undefined for what no request has caused. */
  origin: Origin | undefined;
  /** Nothing personal: it outlives the user. */
  details?: Record<string, string | number>;
}

interface EventRow extends Omit<AuditAnswer, 'id'> {
  id: bigint;
}

/** Events that are counted exactly; to count on would read a large part of the table at each request. */
const MAX_COUNTED = 10_000;

/** The audit trail. Given a transaction, it tells what was done if and only if it was done. */
export function createAuditRepository(db: Prisma.TransactionClient) {
  return {
    async record(events: SecurityEvent[]): Promise<void> {
      if (events.length === 0) return;
      const data = events.map(({ event, userId, actorId, origin, details }) => ({
        event,
        userId: userId ?? null,
        actorId: actorId ?? null,
        ...(origin ?? {}),
        ...(details === undefined ? {} : { details }),
      }));
      await db.securityEvent.createMany({ data });
    },

    /** Newest first, one row more than the window shows. Each filter has an index in this order. */
    async list(filter: AuditFilter, { limit, offset, after }: Window<AuditKey>): Promise<AuditAnswer[]> {
      const behind =
        after === undefined
          ? Prisma.empty
          : Prisma.sql`AND (created_at, id) < (${after[0]}::timestamptz, ${after[1]}::bigint)`;
      const rows = await db.$queryRaw<EventRow[]>`
        SELECT id, event, user_id, actor_id, ip, user_agent, request_id, details, created_at FROM security_events
         WHERE ${matching(filter)} ${behind}
         ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}::int OFFSET ${offset}::int`;
      return rows.map((row) => ({ ...row, id: Number(row.id) }));
    },

    /** Exact up to a limit, which is answered for any larger number. */
    async count(filter: AuditFilter): Promise<{ total: number; isLeast: boolean }> {
      const [row] = await db.$queryRaw<[{ total: number }]>`
        SELECT count(*)::int AS total
          FROM (SELECT 1 FROM security_events WHERE ${matching(filter)} LIMIT ${MAX_COUNTED + 1}::int) AS counted`;
      return { total: Math.min(row.total, MAX_COUNTED), isLeast: row.total > MAX_COUNTED };
    },

    /** What is personal of a deleted user: where he acted from, and where others tried to sign in as him. */
    async forgetOrigins(userId: number): Promise<void> {
      await db.$executeRaw`
        UPDATE security_events SET ip = NULL, user_agent = NULL
         WHERE actor_id = ${userId} OR (user_id = ${userId} AND actor_id IS NULL)`;
    },

    /** @returns how many were removed */
    async removeOld(days: number, size: number): Promise<number> {
      return db.$executeRaw`
        DELETE FROM security_events WHERE id IN (
          SELECT id FROM security_events WHERE created_at < now() - make_interval(days => ${days}::int)
           ORDER BY created_at LIMIT ${size}::int FOR UPDATE SKIP LOCKED)`;
    },
  };
}

function matching({ user_id, event, from, to }: AuditFilter): Prisma.Sql {
  const conditions = [
    user_id === undefined ? [] : Prisma.sql`user_id = ${user_id}::int`,
    event === undefined ? [] : Prisma.sql`event = ${event}`,
    from === undefined ? [] : Prisma.sql`created_at >= ${from}::timestamptz`,
    to === undefined ? [] : Prisma.sql`created_at <= ${to}::timestamptz`,
  ].flat();
  return conditions.length === 0 ? Prisma.sql`TRUE` : Prisma.join(conditions, ' AND ');
}

export type AuditRepository = ReturnType<typeof createAuditRepository>;
