import type { Query } from '@shop/service-kit/postgres/query';
import type { LinkKind } from './mail.kinds.ts';

/** The user whose mail a valid token is from. */
export interface MailTokenHolder {
  userId: number;
  username: string;
  email: string;
}

/** A token is valid for its kind, until it is used or expires, and while the user has the address it was sent to. */
export function createMailTokenRepository(query: Query) {
  return {
    async findHolder(hash: string, kind: LinkKind): Promise<MailTokenHolder | undefined> {
      const [holder] = await query<MailTokenHolder[]>`
        SELECT u.id AS "userId", u.username, u.email
          FROM mail_tokens t JOIN users u ON u.id = t.user_id AND u.email_key = t.email_key
         WHERE t.hash = ${hash} AND t.kind = ${kind} AND t.expires_at > now()`;
      return holder;
    },

    /**
     * Uses the token, and voids all others of its kind that the user has. The user's row is locked first: of two that
     * are used at once, the second is gone.
     * @returns the user; undefined when it is not valid
     */
    async spend(hash: string, kind: LinkKind): Promise<number | undefined> {
      const [holder] = await query<{ userId: number }[]>`
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
      await query`DELETE FROM mail_tokens WHERE user_id = ${userId} AND kind = ${kind}`;
    },

    /** @returns how many were removed */
    async removeExpired(size: number): Promise<number> {
      const removed = await query`
        DELETE FROM mail_tokens WHERE hash IN (
          SELECT hash FROM mail_tokens WHERE expires_at < now() ORDER BY expires_at
           LIMIT ${size}::int FOR UPDATE SKIP LOCKED)
        RETURNING user_id`;
      return removed.length;
    },
  };
}
