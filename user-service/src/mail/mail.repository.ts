import type { Prisma } from '../generated/prisma/client.ts';
import type { MailKind } from './mail.kinds.ts';
import { MAIL_TOKEN_LIFETIME } from './mail-token.ts';

/** A mail to be sent now. */
export interface DueMail {
  id: bigint;
  kind: MailKind;
  userId: number;
  username: string;
  email: string;
  /** Nobody waits for it any more. */
  isTooLate: boolean;
  /** There is no time left for another attempt after this one. */
  isLastAttempt: boolean;
}

/** Mails of one kind that a user is sent within a quarter of an hour; more are silently left out. */
const MAX_RECENT = 3;
/** Seconds after which a mail that could not be sent is given up. Who asked for a reset will have asked again by then. */
const PATIENCE: Record<MailKind, number> = { verify_email: 86_400, reset_password: 3600 };
/** No wait between two attempts is longer, in seconds. */
const LONGEST_WAIT = 900;

export function createMailRepository(db: Prisma.TransactionClient) {
  return {
    /**
     * Asks for a mail, in the transaction that is the reason for it. No mail is asked for when the user has got enough
     * of them lately, or has nothing to verify.
     * @param userId undefined: nobody, for whom the work is the same
     */
    async ask(userId: number | undefined, kind: MailKind): Promise<void> {
      // One after the other, so that each sees what the others have asked for: the bound is exact.
      await db.$queryRaw`SELECT id FROM users WHERE id = ${userId ?? null}::int FOR NO KEY UPDATE`;
      await db.$executeRaw`
        INSERT INTO mails (user_id, kind, expires_at)
        SELECT u.id, ${kind}, now() + make_interval(secs => ${PATIENCE[kind]}::float8) FROM users u
         WHERE u.id = ${userId ?? null}::int AND (${kind} <> 'verify_email' OR NOT u.email_verified)
           AND ${MAX_RECENT}::int > (
             SELECT count(*) FROM mails m
              WHERE m.user_id = u.id AND m.kind = ${kind} AND m.requested_at > now() - interval '15 minutes')`;
    },

    /**
     * Takes the mail that is due longest, and makes its token good from now on. Until the next attempt is due nobody
     * else takes it, so a process that dies while sending delays it, and may send it twice. A user's row that is being
     * deleted is left alone: that transaction waits for the mail's row.
     * @param firstWait seconds until the second attempt; each further wait is twice as long
     */
    async takeDue(tokenHash: string, firstWait: number): Promise<DueMail | undefined> {
      const [mail] = await db.$queryRaw<DueMail[]>`
        WITH due AS (
          SELECT m.id, u.username, u.email, u.email_key FROM mails m JOIN users u ON u.id = m.user_id
           WHERE m.done_at IS NULL AND m.next_attempt_at <= now()
           ORDER BY m.next_attempt_at LIMIT 1 FOR UPDATE OF m SKIP LOCKED FOR KEY SHARE OF u SKIP LOCKED
        ), taken AS (
          UPDATE mails m
             SET attempts = m.attempts + 1,
                 next_attempt_at = now() + make_interval(secs => least(
                   ${LONGEST_WAIT}::float8, ${firstWait}::float8 * power(2, least(m.attempts, 30))))
            FROM due WHERE m.id = due.id
          RETURNING m.id, m.kind, m.user_id, m.next_attempt_at, m.expires_at, due.username, due.email, due.email_key
        ), token AS (
          INSERT INTO mail_tokens (hash, user_id, kind, email_key, expires_at)
          SELECT ${tokenHash}, user_id, kind, email_key, now() + make_interval(secs => ${MAIL_TOKEN_LIFETIME}::float8)
            FROM taken WHERE expires_at > now()
        )
        SELECT id, kind, user_id AS "userId", username, email, expires_at <= now() AS "isTooLate",
               next_attempt_at >= expires_at AS "isLastAttempt"
          FROM taken`;
      return mail;
    },

    /** @param failure why it was given up; null: it was sent */
    async finish(id: bigint, failure: string | null): Promise<void> {
      await db.mail.updateMany({ where: { id }, data: { doneAt: new Date(), failure } });
    },

    /** Those that nobody waits for since a day. @returns how many were removed, which is bounded */
    async removeOld(): Promise<number> {
      return db.$executeRaw`
        DELETE FROM mails WHERE id IN (
          SELECT id FROM mails WHERE expires_at < now() - interval '1 day' AND done_at IS NOT NULL
           ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)`;
    },
  };
}
