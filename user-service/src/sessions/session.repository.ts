import type { Query } from '@shop/service-kit/postgres/query';
import type { Holder, RefreshToken } from '../tokens/token.issuer.ts';

/** Where a session is used from. */
export interface Device {
  userAgent: string | null;
  ip: string | null;
}

export interface ActiveSession extends Device {
  id: string;
  createdAt: Date;
  lastUsedAt: Date;
}

/** All sessions of a user. */
interface Revoked {
  sessions: number;
  /** Access tokens of the user below it are void. */
  generation: number;
}

export type EndReason =
  | 'logout'
  | 'logout_all'
  | 'ended_by_user'
  | 'password_changed'
  | 'password_reset'
  | 'ended_by_admin';

/** A retry of the direct predecessor is forgiven for so long, in seconds (docs/http-api.md, "Sessions"). */
const GRACE = 10;
/** Sessions of one user; a login beyond that revokes the one used least recently. */
const MAX_ACTIVE = 50;
/** Accounts older than that bound may have many more: a login revokes so many of them. */
const MAX_SURPLUS = 1000;
/** Rows that are marked when all sessions of a user are revoked, for replicas of the previous release: twice `MAX_ACTIVE`. */
const MAX_MARKED = 100;

/**
 * A session is active until `ended_at` is set, it expires, or its generation is below its user's `sessions_from`. Triggers of
 * the database report to the other services what was revoked. Times come from the database too: no clock of another
 * machine matters.
 */
export function createSessionRepository(query: Query) {
  return {
    /**
     * The user's row is locked against changes of the password and the role, and against other logins, so that
     * `revokeSurplus` counts them all.
     * @returns undefined when the password was changed since it was checked, or the user is gone
     */
    async start(
      owner: { userId: number; passwordVersion: number },
      session: { id: string; refreshToken: RefreshToken; lifetime: number; device: Device },
    ): Promise<Holder | undefined> {
      const { id, refreshToken, lifetime, device } = session;
      const [row] = await query<Holder[]>`
        WITH owner AS (
          SELECT id, role FROM users
           WHERE id = ${owner.userId} AND password_version = ${owner.passwordVersion} FOR NO KEY UPDATE
        )
        INSERT INTO sessions (id, user_id, current_token_hash, expires_at, user_agent, ip)
        SELECT ${id}::uuid, owner.id, ${refreshToken.hash},
               now() + make_interval(secs => ${lifetime}::float8), ${device.userAgent}, ${device.ip}
          FROM owner
        RETURNING id AS "sessionId", generation, user_id AS "userId", (SELECT role FROM owner),
                  clock_timestamp() AS "issuedAt"`;
      return row;
    },

    /**
     * One statement decides among parallel calls. The current token becomes the previous one. The previous one is
     * forgiven within the grace, and changes nothing: its successor is the current one already.
     * @returns undefined for any other token
     */
    async rotate(
      id: string,
      presentedHash: string,
      next: { refreshToken: RefreshToken; lifetime: number; device: Device },
    ): Promise<Holder | undefined> {
      const { refreshToken, lifetime, device } = next;
      const [row] = await query<Holder[]>`
        WITH owner AS (
          SELECT u.id, u.role, u.generation, u.sessions_from FROM users u JOIN sessions s ON s.user_id = u.id
           WHERE s.id = ${id}::uuid FOR SHARE OF u
        )
        UPDATE sessions s
           SET current_token_hash = ${refreshToken.hash},
               previous_token_hash = ${presentedHash},
               rotated_at = CASE WHEN s.current_token_hash = ${presentedHash} THEN clock_timestamp() ELSE s.rotated_at END,
               last_used_at = clock_timestamp(),
               expires_at = now() + make_interval(secs => ${lifetime}::float8),
               user_agent = ${device.userAgent}, ip = ${device.ip}
          FROM owner
         WHERE s.id = ${id}::uuid AND s.user_id = owner.id AND s.ended_at IS NULL AND s.expires_at > now()
           AND s.generation >= owner.sessions_from
           AND (s.current_token_hash = ${presentedHash}
                OR (s.previous_token_hash = ${presentedHash}
                    AND s.rotated_at > clock_timestamp() - make_interval(secs => ${GRACE}::float8)))
        RETURNING s.id AS "sessionId", owner.generation, owner.id AS "userId", owner.role,
                  clock_timestamp() AS "issuedAt"`;
      return row;
    },

    /** A new line of tokens in the session that `revokeAll` kept. Undefined when it was revoked before. */
    async renew(
      id: string,
      userId: number,
      { refreshToken, lifetime }: { refreshToken: RefreshToken; lifetime: number },
    ): Promise<Holder | undefined> {
      const [row] = await query<Holder[]>`
        UPDATE sessions s
           SET current_token_hash = ${refreshToken.hash}, previous_token_hash = NULL, rotated_at = NULL,
               last_used_at = clock_timestamp(), expires_at = now() + make_interval(secs => ${lifetime}::float8)
          FROM users u
         WHERE s.id = ${id}::uuid AND s.user_id = ${userId} AND s.ended_at IS NULL AND u.id = s.user_id
           AND s.generation = u.generation
        RETURNING s.id AS "sessionId", u.generation, u.id AS "userId", u.role, clock_timestamp() AS "issuedAt"`;
      return row;
    },

    /**
     * Revokes one session, if it is active.
     * @param passwordVersion nothing is revoked where the password was changed since
     */
    async revokeReused(
      id: string,
      passwordVersion: number | undefined,
    ): Promise<{ userId: number } | undefined> {
      const [row] = await query<{ userId: number }[]>`
        UPDATE sessions s
           SET ended_at = clock_timestamp(), ended_reason = 'token_reused'
          FROM users u
         WHERE s.id = ${id}::uuid AND s.ended_at IS NULL AND s.expires_at > now()
           AND u.id = s.user_id AND s.generation >= u.sessions_from
           AND u.password_version = coalesce(${passwordVersion ?? null}::int, u.password_version)
        RETURNING s.user_id AS "userId"`;
      return row;
    },

    /** @returns false when the user has no such session; an expired one counts: its access token may still be valid */
    async revoke(id: string, userId: number, reason: EndReason): Promise<boolean> {
      const revoked = await query`
        UPDATE sessions s
           SET ended_at = clock_timestamp(), ended_reason = ${reason}
          FROM users u
         WHERE s.id = ${id}::uuid AND s.user_id = ${userId} AND s.ended_at IS NULL
           AND u.id = s.user_id AND s.generation >= u.sessions_from
        RETURNING s.id`;
      return revoked.length > 0;
    },

    /**
     * Revokes all sessions of a user with the same work for any number of them.
     * @param keep the id of one that is kept
     * @returns how many were revoked, and the generation below which access tokens are void; undefined without such a user
     */
    async revokeAll(userId: number, reason: EndReason, keep?: string): Promise<Revoked | undefined> {
      const [row] = await query<Revoked[]>`
        WITH owner AS (
          UPDATE users SET generation = generation + 1, sessions_from = generation + 1
           WHERE id = ${userId} RETURNING generation
        ), active AS (
          SELECT s.id, s.last_used_at, s.id = ${keep ?? null}::uuid IS TRUE AS is_kept
            FROM sessions s JOIN users u ON u.id = s.user_id
           WHERE s.user_id = ${userId} AND s.ended_at IS NULL AND s.generation >= u.sessions_from
        ), kept AS (
          UPDATE sessions SET generation = owner.generation
            FROM owner, active WHERE sessions.id = active.id AND active.is_kept
        ), marked AS (
          UPDATE sessions SET ended_at = clock_timestamp(), ended_reason = ${reason}
           WHERE id IN (SELECT id FROM active WHERE NOT is_kept ORDER BY last_used_at DESC LIMIT ${MAX_MARKED}::int)
        )
        SELECT owner.generation, (SELECT count(*)::int FROM active WHERE NOT is_kept) AS sessions FROM owner`;
      return row;
    },

    /** Revokes the sessions used least recently of a user who has more than `MAX_ACTIVE`. Called after `start`. */
    async revokeSurplus(userId: number): Promise<string[]> {
      const rows = await query<{ id: string }[]>`
        UPDATE sessions
           SET ended_at = clock_timestamp(), ended_reason = 'too_many'
         WHERE id IN (
           SELECT id FROM sessions WHERE user_id = ${userId} AND ended_at IS NULL AND expires_at > now()
            ORDER BY last_used_at DESC, id OFFSET ${MAX_ACTIVE}::int LIMIT ${MAX_SURPLUS}::int)
        RETURNING id`;
      return rows.map(({ id }) => id);
    },

    /** All of a user who is about to be deleted. */
    async remove(userId: number): Promise<void> {
      await query`DELETE FROM sessions WHERE user_id = ${userId}`;
    },

    /** Sessions of anybody that have been over for a day: their last access token has expired. @returns how many were removed */
    async removeOld(size: number): Promise<number> {
      const removed = await query`
        DELETE FROM sessions WHERE id IN (
          SELECT id FROM sessions
           WHERE expires_at < now() - interval '1 day' OR ended_at < now() - interval '1 day'
           LIMIT ${size}::int FOR UPDATE SKIP LOCKED)
        RETURNING id`;
      return removed.length;
    },

    /** The user of a session that is active; undefined for any other. */
    async findOwner(id: string): Promise<{ id: number; emailVerified: boolean } | undefined> {
      const [owner] = await query<{ id: number; emailVerified: boolean }[]>`
        SELECT u.id, u.email_verified AS "emailVerified" FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.id = ${id}::uuid AND s.ended_at IS NULL AND s.expires_at > now() AND s.generation >= u.sessions_from`;
      return owner;
    },

    listActive(userId: number): Promise<ActiveSession[]> {
      return query`
        SELECT s.id, s.created_at AS "createdAt", s.last_used_at AS "lastUsedAt", s.user_agent AS "userAgent", s.ip
          FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.user_id = ${userId} AND s.ended_at IS NULL AND s.expires_at > now() AND s.generation >= u.sessions_from
         ORDER BY s.last_used_at DESC LIMIT ${MAX_ACTIVE}::int`;
    },
  };
}
