import type { Revoked } from '@shop/service-kit/redis/revocations';
import type { Prisma } from '../generated/prisma/client.ts';

const PAGE = 1000;

/** What is asked of all sessions, whosever they are. */
export function createUpkeepRepository(db: Prisma.TransactionClient) {
  return {
    /**
     * What was revoked within the last `seconds`, oldest first, a page at a time.
     * @param after the last one of the page before
     */
    async listRevoked(seconds: number, after: Revoked | undefined): Promise<Revoked[]> {
      const at = after?.at ?? new Date(0);
      const id = after?.sessionId ?? '00000000-0000-0000-0000-000000000000';
      return db.$queryRaw`
        SELECT id AS "sessionId", tokens_void_before AS at FROM sessions
         WHERE tokens_void_before > now() - make_interval(secs => ${seconds}::float8)
           AND (tokens_void_before, id) > (${at}::timestamptz, ${id}::uuid)
         ORDER BY tokens_void_before, id LIMIT ${PAGE}`;
    },

    /** Sessions that have been over for a day are of no more use: their last access token expired long ago. */
    async removeOld(): Promise<number> {
      return db.$executeRaw`
        DELETE FROM sessions WHERE id IN (
          SELECT id FROM sessions
           WHERE expires_at < now() - interval '1 day' OR ended_at < now() - interval '1 day' LIMIT ${PAGE})`;
    },
  };
}
