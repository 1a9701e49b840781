import type { Query } from '@shop/service-kit/postgres/query';
import type { MailKind } from './mail.kinds.ts';
import { MAIL_TOKEN_LIFETIME } from './mail-token.ts';

/** The recipient of a mail. */
export interface Reader {
  username: string;
  email: string;
  /** Its time is over: it is given up. */
  isTooLate: boolean;
}

/** Most mails of one kind that a user is sent within 15 minutes; further ones are silently left out. */
const MAX_RECENT: Record<MailKind, number> = { verify_email: 3, reset_password: 3, email_changed: 10 };
/** Seconds after which a mail that could not be sent is given up. */
const PATIENCE: Record<MailKind, number> = {
  verify_email: 86_400,
  reset_password: 3600,
  email_changed: 5 * 86_400,
};

export function createMailRepository(query: Query) {
  return {
    /**
     * Adds the job that sends a mail, in the transaction that is the reason for it: it is sent after the commit. The job
     * sends nothing when the user got enough of them lately or has nothing to verify. There is one for an unknown user
     * too, so that the work is the same.
     * @param userId undefined for an unknown user
     * @param to an address other than the user's
     */
    async add(userId: number | undefined, kind: MailKind, to?: string): Promise<void> {
      // One after the other, so that each sees the requests of the others: the bound is exact.
      await query`SELECT id FROM users WHERE id = ${userId ?? null}::int FOR NO KEY UPDATE`;
      await query`
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
     * The recipient of a mail, whose token becomes valid, for the address that the user has now.
     * @param until a time of the database
     * @returns undefined when the user was deleted
     */
    async prepare(userId: number, kind: MailKind, until: string, hash: string): Promise<Reader | undefined> {
      const [reader] = await query<Reader[]>`
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

    /** Removes requests that no longer count. @returns how many */
    async removeOldRequests(size: number): Promise<number> {
      const removed = await query`
        DELETE FROM mail_requests WHERE id IN (
          SELECT id FROM mail_requests WHERE requested_at < now() - interval '1 hour'
           ORDER BY requested_at LIMIT ${size}::int FOR UPDATE SKIP LOCKED)
        RETURNING id`;
      return removed.length;
    },

    /**
     * Makes jobs of mails that wait in the table of the previous release, whose replicas may still run. A mail that such a
     * replica is sending has its next attempt in the future.
     * @returns how many
     */
    async adoptWaiting(size: number): Promise<number> {
      const [row] = await query<[{ adopted: number }]>`
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

    /** Removes mails that the previous release has sent. @returns how many */
    async removeSent(size: number): Promise<number> {
      const removed = await query`
        DELETE FROM mails WHERE id IN (
          SELECT id FROM mails WHERE done_at < now() - interval '1 day' LIMIT ${size}::int FOR UPDATE SKIP LOCKED)
        RETURNING id`;
      return removed.length;
    },
  };
}
