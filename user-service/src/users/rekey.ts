import { isUniqueViolation } from '@shop/service-kit/postgres/database-errors';
import type { Logger } from 'pino';
import type { Prisma } from '../generated/prisma/client.ts';
import { identityKey } from './user.identity.ts';

interface RekeyOptions {
  db: Prisma.TransactionClient;
  logger: Logger;
}

/**
 * Brings keys of older releases, which kept ẞ and punycode apart, to the rule of `identityKey`. Runs at every start. Of
 * two accounts that are one by this rule, the second keeps its key, and the log names it: it can still sign in by its
 * other name, and somebody has to rename it.
 */
export async function rekeyUsers({ db, logger }: RekeyOptions): Promise<void> {
  const rows = await db.$queryRaw<{ id: number; username: string; email: string }[]>`
    SELECT id, username, email FROM users
     WHERE username_key LIKE '%ß%' OR email_key LIKE '%ß%' OR email_key LIKE '%@%xn--%' ORDER BY id`;
  for (const { id, username, email } of rows) {
    for (const key of [{ usernameKey: identityKey(username) }, { emailKey: identityKey(email) }]) {
      try {
        await db.user.updateMany({ where: { id }, data: key });
      } catch (error) {
        if (!isUniqueViolation(error, 'users_username_key') && !isUniqueViolation(error, 'users_email_key'))
          throw error;
        const [field] = Object.keys(key);
        logger.warn(
          { user_id: id, field },
          'another account has the same name or address: rename one of them',
        );
      }
    }
  }
}
