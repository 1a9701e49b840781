import type { Logger } from 'pino';
import type { Prisma } from '../generated/prisma/client.ts';
import type { PasswordHasher } from '../passwords/password.hasher.ts';
import { EmailTaken, UsernameTaken } from './user.errors.ts';
import { identityKey } from './user.identity.ts';
import { createUserRepository } from './user.repository.ts';
import type { Registration } from './user.schemas.ts';

interface FirstAdminOptions {
  db: Prisma.TransactionClient;
  hasher: PasswordHasher;
  logger: Logger;
  /** `ADMIN_USERNAME`, `ADMIN_EMAIL`, `ADMIN_PASSWORD`. */
  admin: Registration;
}

/** How long to wait for a database that was away, in milliseconds. */
const RETRY_INTERVAL = 2000;

/**
 * Sees to it that the admin of the environment exists. A user who already has the name becomes an admin and keeps
 * email and password. May run in several replicas at once and at every start.
 */
export async function ensureFirstAdmin({ db, hasher, logger, admin }: FirstAdminOptions): Promise<void> {
  const { username, email, password } = admin;
  const users = createUserRepository(db);
  const taken = await users.findTaken({ username, email });
  if (taken === undefined) {
    try {
      await users.create({ username, email, passwordHash: await hasher.hash(password), role: 'admin' });
      logger.info({ username }, 'first admin was created');
    } catch (error) {
      // Another replica was faster.
      if (!(error instanceof UsernameTaken || error instanceof EmailTaken)) throw error;
    }
    return;
  }
  if (taken === 'email') {
    logger.warn('ADMIN_EMAIL belongs to another user: no admin was created');
    return;
  }
  const promoted = await users.setRole({ usernameKey: identityKey(username) }, 'admin');
  if (promoted) logger.info({ username }, 'an existing user was made the first admin');
}

/** The first attempt is over when this resolves; after a failure it is tried again until it works. */
export async function keepFirstAdmin(options: FirstAdminOptions, retryInterval = RETRY_INTERVAL) {
  let timer: NodeJS.Timeout | undefined;
  const attempt = async (): Promise<void> => {
    try {
      await ensureFirstAdmin(options);
    } catch (error) {
      options.logger.warn({ err: error }, 'first admin is made later');
      timer = setTimeout(attempt, retryInterval).unref();
    }
  };
  await attempt();
  return { close: () => clearTimeout(timer) };
}
