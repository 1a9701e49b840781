import { isUniqueViolation } from '@shop/service-kit/postgres/database-errors';
import type { Query } from '@shop/service-kit/postgres/query';
import type { Logger } from 'pino';
import { identityKey } from '../identity/identity.ts';

interface RekeyOptions {
  query: Query;
  logger: Logger;
}

/**
 * Updates keys of older releases, which kept ẞ and punycode apart, to the rule of `identityKey`. Runs at every start. Of
 * two accounts with the same key by this rule, the second keeps its old one, and the log names it: its user can still log
 * in by the other name, and it has to be renamed.
 */
export async function rekeyUsers({ query, logger }: RekeyOptions): Promise<void> {
  const rows = await query<{ id: number; username: string; email: string }[]>`
    SELECT id, username, email FROM users
     WHERE username_key LIKE '%ß%' OR email_key LIKE '%ß%' OR email_key LIKE '%@%xn--%' ORDER BY id`;
  for (const { id, username, email } of rows) {
    const update = {
      username: () => query`UPDATE users SET username_key = ${identityKey(username)} WHERE id = ${id}`,
      email: () => query`UPDATE users SET email_key = ${identityKey(email)} WHERE id = ${id}`,
    };
    for (const [field, run] of Object.entries(update)) {
      await run().catch((error: unknown) => {
        if (!isUniqueViolation(error)) throw error;
        const text = `another account has the same ${field}: rename one of them`;
        logger.warn({ user_id: id, field }, text);
      });
    }
  }
}
