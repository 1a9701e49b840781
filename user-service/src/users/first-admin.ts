import type { Logger } from 'pino';
import type { AuditUseCases } from '../audit/audit.use-cases.ts';
import type { PrismaClient } from '../generated/prisma/client.ts';
import type { PasswordHasher } from '../passwords/password.hasher.ts';
import { EmailTaken, UsernameTaken } from './user.errors.ts';
import { identityKey } from './user.identity.ts';
import { createUserRepository } from './user.repository.ts';
import type { Registration } from './user.schemas.ts';

interface FirstAdminOptions {
  db: PrismaClient;
  audit: AuditUseCases;
  hasher: PasswordHasher;
  logger: Logger;
  /** `ADMIN_USERNAME`, `ADMIN_EMAIL`, `ADMIN_PASSWORD`. */
  admin: Registration;
}

/** How long to wait for a database that was away, in milliseconds. */
const RETRY_INTERVAL = 2000;

/**
 * Sees to it that the admin of the environment exists. A user who already has the name becomes an admin and keeps
 * email and password. The address of the environment counts as verified. May run in several replicas at once and at every start.
 */
export async function ensureFirstAdmin({
  db,
  audit,
  hasher,
  logger,
  admin,
}: FirstAdminOptions): Promise<void> {
  const { username, email, password } = admin;
  const users = createUserRepository(db);
  const taken = await users.findTaken({ username, email });
  if (taken === undefined) {
    try {
      const passwordHash = await hasher.hash(password);
      await db.$transaction(async (tx) => {
        const created = { username, email, passwordHash, role: 'admin', emailVerified: true } as const;
        const { id: userId } = await createUserRepository(tx).create(created);
        const details = { by: 'ADMIN_USERNAME' };
        await audit.record(tx, { event: 'registered', userId, origin: undefined, details });
      });
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
  const usernameKey = identityKey(username);
  const promoted = await db.$transaction(async (tx) => {
    const inside = createUserRepository(tx);
    await inside.verifyEmail({ usernameKey, emailKey: identityKey(email) });
    const userId = await inside.setRole({ usernameKey }, 'admin');
    if (userId === undefined) return false;
    const details = { role: 'admin', by: 'ADMIN_USERNAME' };
    await audit.record(tx, { event: 'role_changed', userId, origin: undefined, details });
    return true;
  });
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
