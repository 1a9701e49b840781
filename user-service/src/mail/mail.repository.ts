import type { Prisma } from '../generated/prisma/client.ts';
import type { MailKind } from './mail.kinds.ts';
import { MAIL_TOKEN_LIFETIME } from './mail-token.ts';

/** Whom a mail is for. */
export interface Reader {
  username: string;
  email: string;
  /** Nobody waits for it any more. */
  isTooLate: boolean;
}

/** Mails of one kind that a user is sent within a quarter of an hour; more are silently left out. */
const MAX_RECENT: Record<MailKind, number> = { verify_email: 3, reset_password: 3, email_changed: 10 };
/** Seconds after which a mail that could not be sent is given up. Who asked for a reset will have asked again by then. */
const PATIENCE: Record<MailKind, number> = {
  verify_email: 86_400,
  reset_password: 3600,
  email_changed: 5 * 86_400,
};

export function createMailRepository(db: Prisma.TransactionClient) {
  return {
    /**
     * Adds the job that sends a mail, in the transaction that is the reason for it. It sends nothing when the user has
     * got enough of them lately, or has nothing to verify, and there is one for nobody too: the work is the same.
     * @param userId undefined: nobody
     * @param to another address than the user's
     */
    async ask(userId: number | undefined, kind: MailKind, to?: string): Promise<void> {
      // One after the other, so that each sees what the others have asked for: the bound is exact.
      await db.$queryRaw`SELECT id FROM users WHERE id = ${userId ?? null}::int FOR NO KEY UPDATE`;
      await db.$queryRaw`
        WITH asked AS (
          INSERT INTO mail_requests (user_id, kind)
          SELECT u.id, ${kind} FROM users u
           WHERE u.id = ${userId ?? null}::int AND (${kind} <> 'verify_email' OR NOT u.email_verified)
             AND ${MAX_RECENT[kind]}::int > (
               SELECT count(*) FROM mail_requests r
                WHERE r.user_id = u.id AND r.kind = ${kind} AND r.requested_at > now() - interval '15 minutes')
          RETURNING user_id
        )
        SELECT jobs.add('send_mail', json_build_object(
          'kind', ${kind}::text, 'user_id', (SELECT user_id FROM asked), 'to', ${to ?? null}::text,
          'until', now() + make_interval(secs => ${PATIENCE[kind]}::float8)))::text`;
    },

    /**
     * Whom a mail is for, and its token, which is good from now on for the address that the user has.
     * @param until a time of the database
     * @returns undefined when the user was deleted
     */
    async prepare(userId: number, kind: MailKind, until: string, hash: string): Promise<Reader | undefined> {
      const [reader] = await db.$queryRaw<Reader[]>`
        WITH reader AS (
          SELECT id, username, email, email_key, now() > ${until}::timestamptz AS is_too_late
            FROM users WHERE id = ${userId}::int FOR KEY SHARE
        ), token AS (
          INSERT INTO mail_tokens (hash, user_id, kind, email_key, expires_at)
          SELECT ${hash}, id, ${kind}, email_key, now() + make_interval(secs => ${MAIL_TOKEN_LIFETIME}::float8)
            FROM reader WHERE ${kind} <> 'email_changed' AND NOT is_too_late
        )
        SELECT username, email, is_too_late AS "isTooLate" FROM reader`;
      return reader;
    },

    /** Requests that count no more. @returns how many were removed */
    async removeOldRequests(size: number): Promise<number> {
      return db.$executeRaw`
        DELETE FROM mail_requests WHERE id IN (
          SELECT id FROM mail_requests WHERE requested_at < now() - interval '1 hour'
           ORDER BY requested_at LIMIT ${size}::int FOR UPDATE SKIP LOCKED)`;
    },

    /**
     * Makes jobs of mails that wait in the table of the release before, whose replicas may still run: one that such a
     * replica is sending has its next attempt in the future. @returns how many
     */
    async adoptWaiting(size: number): Promise<number> {
      const [row] = await db.$queryRaw<[{ adopted: number }]>`
        WITH waiting AS (
          SELECT id FROM mails WHERE done_at IS NULL AND next_attempt_at <= now()
           ORDER BY id LIMIT ${size}::int FOR UPDATE SKIP LOCKED
        ), taken AS (
          DELETE FROM mails m USING waiting WHERE m.id = waiting.id RETURNING m.user_id, m.kind, m.expires_at
        )
        SELECT count(jobs.add('send_mail', json_build_object(
                 'kind', kind, 'user_id', user_id, 'to', NULL, 'until', expires_at)))::int AS adopted FROM taken`;
      return row.adopted;
    },

    /** Mails that the release before has sent. @returns how many were removed */
    async removeSent(size: number): Promise<number> {
      return db.$executeRaw`
        DELETE FROM mails WHERE id IN (
          SELECT id FROM mails WHERE done_at < now() - interval '1 day' LIMIT ${size}::int FOR UPDATE SKIP LOCKED)`;
    },
  };
}
