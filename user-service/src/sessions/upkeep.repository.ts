import type { Prisma } from '../generated/prisma/client.ts';

const PAGE = 1000;

/** What is asked of all sessions, whosever they are. */
export function createUpkeepRepository(db: Prisma.TransactionClient) {
  return {
    /** Sessions that have been over for a day are of no more use: their last access token expired long ago. */
    async removeOld(): Promise<number> {
      return db.$executeRaw`
        DELETE FROM sessions WHERE id IN (
          SELECT id FROM sessions
           WHERE expires_at < now() - interval '1 day' OR ended_at < now() - interval '1 day' LIMIT ${PAGE})`;
    },
  };
}
