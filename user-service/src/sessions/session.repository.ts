import type { Prisma } from '../generated/prisma/client.ts';
import type { Holder, RefreshToken } from './token.issuer.ts';

/** Where a session is used from. */
export interface Device {
  userAgent: string | null;
  ip: string | null;
}

export type EndReason =
  | 'logout'
  | 'too_many'
  | 'logout_all'
  | 'ended_by_user'
  | 'token_reused'
  | 'password_changed'
  | 'password_reset'
  | 'ended_by_admin'
  | 'user_deleted';

/** A retry of the direct predecessor is forgiven for so long, in seconds (the HTTP contract, "refresh"). */
const GRACE = 10;
/** Living sessions of one user; a sign-in beyond that ends the one used least recently. */
const MAX_LIVING = 50;
/** Accounts from before that bound may have many more: they lose them at several sign-ins. */
const MAX_ENDED_AT_ONCE = 1000;

/**
 * Ended sessions and raised generations are noted for the other services by triggers of the database. Times come from
 * the database too: no clock of another machine matters.
 */
export function createSessionRepository(db: Prisma.TransactionClient) {
  return {
    /**
     * The user's row is locked against changes of password and role, which end or revoke what they find after it, and
     * against other sign-ins, so that `endSurplus` counts them all.
     * @returns undefined when the password was changed since it was checked, or the user is gone
     */
    async start(
      owner: { userId: number; passwordVersion: number },
      session: { id: string; refreshToken: RefreshToken; lifetime: number; device: Device },
    ): Promise<Holder | undefined> {
      const { id, refreshToken, lifetime, device } = session;
      const [row] = await db.$queryRaw<Holder[]>`
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
      const [row] = await db.$queryRaw<Holder[]>`
        WITH owner AS (
          SELECT u.id, u.role FROM users u JOIN sessions s ON s.user_id = u.id
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
           AND (s.current_token_hash = ${presentedHash}
                OR (s.previous_token_hash = ${presentedHash}
                    AND s.rotated_at > clock_timestamp() - make_interval(secs => ${GRACE}::float8)))
        RETURNING s.id AS "sessionId", s.generation, owner.id AS "userId", owner.role,
                  clock_timestamp() AS "issuedAt"`;
      return row;
    },

    /** A new line of tokens in the same session; all earlier ones are worthless. Undefined when it has ended. */
    async renew(id: string, userId: number, refreshToken: RefreshToken): Promise<Holder | undefined> {
      const [row] = await db.$queryRaw<Holder[]>`
        UPDATE sessions s
           SET current_token_hash = ${refreshToken.hash}, previous_token_hash = NULL, rotated_at = NULL,
               last_used_at = clock_timestamp(), generation = s.generation + 1
          FROM users u
         WHERE s.id = ${id}::uuid AND s.user_id = ${userId} AND s.ended_at IS NULL AND u.id = s.user_id
        RETURNING s.id AS "sessionId", s.generation, u.id AS "userId", u.role, clock_timestamp() AS "issuedAt"`;
      return row;
    },

    /**
     * Ends what still lives of it.
     * @param passwordVersion nothing is ended where the password was changed since
     */
    async endLiving(
      id: string,
      passwordVersion: number | undefined,
      reason: EndReason,
    ): Promise<{ userId: number | null }[]> {
      return db.$queryRaw`
        UPDATE sessions s
           SET ended_at = clock_timestamp(), ended_reason = ${reason}
         WHERE id = ${id}::uuid AND ended_at IS NULL AND expires_at > now()
           AND (${passwordVersion ?? null}::int IS NULL
                OR EXISTS (SELECT FROM users u WHERE u.id = s.user_id AND u.password_version = ${passwordVersion ?? null}::int))
        RETURNING user_id AS "userId"`;
    },

    /**
     * Ends the user's sessions: all, `only` one, or all `except` one. Expired ones too: their access tokens may live on.
     * @returns how many
     */
    async end(
      userId: number,
      reason: EndReason,
      { only = null, except = null }: { only?: string | null; except?: string | null } = {},
    ): Promise<number> {
      return db.$executeRaw`
        UPDATE sessions
           SET ended_at = clock_timestamp(), ended_reason = ${reason}
         WHERE user_id = ${userId} AND ended_at IS NULL
           AND (${only}::uuid IS NULL OR id = ${only}::uuid) AND (${except}::uuid IS NULL OR id <> ${except}::uuid)`;
    },

    /** Ends the sessions used least recently of a user who has more than `MAX_LIVING`. Called after `start`. */
    async endSurplus(userId: number): Promise<number> {
      return db.$executeRaw`
        UPDATE sessions
           SET ended_at = clock_timestamp(), ended_reason = 'too_many'
         WHERE id IN (
           SELECT id FROM sessions WHERE user_id = ${userId} AND ended_at IS NULL AND expires_at > now()
            ORDER BY last_used_at DESC, id OFFSET ${MAX_LIVING}::int LIMIT ${MAX_ENDED_AT_ONCE}::int)`;
    },

    async forgetDevices(userId: number): Promise<void> {
      await db.session.updateMany({ where: { userId }, data: { userAgent: null, ip: null } });
    },

    /** Sessions of anybody that are over for a day: their last access token expired long ago. @returns how many were removed */
    async removeOld(size: number): Promise<number> {
      return db.$executeRaw`
        DELETE FROM sessions WHERE id IN (
          SELECT id FROM sessions
           WHERE expires_at < now() - interval '1 day' OR ended_at < now() - interval '1 day'
           LIMIT ${size}::int FOR UPDATE SKIP LOCKED)`;
    },

    /** The user of a session that lives; undefined for any other. */
    async findOwner(id: string) {
      const session = await db.session.findFirst({
        where: { id, endedAt: null, expiresAt: { gt: new Date() } },
        select: { user: { select: { id: true, emailVerified: true } } },
      });
      return session?.user ?? undefined;
    },

    listLiving(userId: number) {
      return db.session.findMany({
        where: { userId, endedAt: null, expiresAt: { gt: new Date() } },
        orderBy: { lastUsedAt: 'desc' },
        take: MAX_LIVING,
        select: { id: true, createdAt: true, lastUsedAt: true, userAgent: true, ip: true },
      });
    },
  };
}
