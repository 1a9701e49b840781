import type { Query } from '@shop/service-kit/postgres/query';
import type { Logger } from 'pino';
import type { ChangeAccounts } from '../accounts/account.changer.ts';
import type { PasswordHasher } from '../credentials/password.hasher.ts';
import { createUserRepository } from './user.repository.ts';
import type { Registration } from './user.schemas.ts';

interface FirstAdminOptions {
  query: Query;
  change: ChangeAccounts;
  hasher: PasswordHasher;
  logger: Logger;
  /** `ADMIN_USERNAME`, `ADMIN_EMAIL`, `ADMIN_PASSWORD`. */
  admin: Registration;
}

/** Milliseconds between attempts while the database is unavailable. */
const RETRY_INTERVAL = 2000;

/**
 * Creates the admin of the environment while there is no admin at all. An account that has the name or the address
 * already is never promoted. The address counts as verified. May run in several replicas at once and at every start.
 */
export async function ensureFirstAdmin({
  query,
  change,
  hasher,
  logger,
  admin,
}: FirstAdminOptions): Promise<void> {
  const { username, email, password } = admin;
  if (await createUserRepository(query).hasAdmin()) return;
  const passwordHash = await hasher.hash(password);
  const outcome = await change([], async ({ query, record }) => {
    const users = createUserRepository(query);
    await users.lockAdmins();
    if (await users.hasAdmin()) return 'exists';
    const taken = await users.findTaken({ username, email });
    if (taken !== undefined) return taken;
    const created = { username, email, passwordHash, role: 'admin', emailVerified: true } as const;
    const { id: userId } = await users.create(created);
    record({ event: 'registered', userId, origin: undefined, details: { by: 'ADMIN_USERNAME' } });
    return 'created';
  });
  if (outcome === 'created') logger.info({ username }, 'first admin was created');
  if (outcome === 'username' || outcome === 'email')
    logger.warn(`ADMIN_${outcome.toUpperCase()} belongs to another user: no admin was created`);
}

/** Resolves after the first attempt; after a failure it is tried again until it works. */
export async function keepFirstAdmin(options: FirstAdminOptions, retryInterval = RETRY_INTERVAL) {
  let timer: NodeJS.Timeout | undefined;
  const attempt = async (): Promise<void> => {
    try {
      await ensureFirstAdmin(options);
    } catch (error) {
      options.logger.warn({ err: error }, 'the first admin will be created later');
      timer = setTimeout(attempt, retryInterval).unref();
    }
  };
  await attempt();
  return { close: () => clearTimeout(timer) };
}
