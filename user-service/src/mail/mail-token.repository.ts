import type { Prisma } from '../generated/prisma/client.ts';
import type { LinkKind } from './mail.kinds.ts';

/** Whom a good token speaks for. */
export interface MailTokenHolder {
  userId: number;
  username: string;
  email: string;
}

/** A token is good for its kind, until it is used or expires, and while the user has the address it was sent to. */
export function createMailTokenRepository(db: Prisma.TransactionClient) {
  return {
    async findHolder(hash: string, kind: LinkKind): Promise<MailTokenHolder | undefined> {
      const [holder] = await db.$queryRaw<MailTokenHolder[]>`
        SELECT u.id AS "userId", u.username, u.email
          FROM mail_tokens t JOIN users u ON u.id = t.user_id AND u.email_key = t.email_key
         WHERE t.hash = ${hash} AND t.kind = ${kind} AND t.expires_at > now()`;
      return holder;
    },

    /**
     * Uses the token, and voids all others of its kind that the user has. The user's row comes first: of two that are
     * used at once, the second finds itself gone.
     * @returns whose it was, undefined when it is not good
     */
    async spend(hash: string, kind: LinkKind): Promise<number | undefined> {
      const [holder] = await db.$queryRaw<{ userId: number }[]>`
        WITH holder AS (
          SELECT u.id FROM mail_tokens t JOIN users u ON u.id = t.user_id AND u.email_key = t.email_key
           WHERE t.hash = ${hash} AND t.kind = ${kind} AND t.expires_at > now() FOR NO KEY UPDATE OF u
        ), spent AS (
          DELETE FROM mail_tokens t USING holder WHERE t.user_id = holder.id AND t.kind = ${kind} RETURNING t.hash
        )
        SELECT id AS "userId" FROM holder WHERE EXISTS (SELECT FROM spent WHERE hash = ${hash})`;
      return holder?.userId;
    },

    async voidAll(userId: number, kind: LinkKind): Promise<void> {
      await db.mailToken.deleteMany({ where: { userId, kind } });
    },

    /** @returns how many were removed */
    async removeExpired(size: number): Promise<number> {
      return db.$executeRaw`
        DELETE FROM mail_tokens WHERE hash IN (
          SELECT hash FROM mail_tokens WHERE expires_at < now() ORDER BY expires_at
           LIMIT ${size}::int FOR UPDATE SKIP LOCKED)`;
    },
  };
}
