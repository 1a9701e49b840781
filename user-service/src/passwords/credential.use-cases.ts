import { createHash } from 'node:crypto';
import { addressKey } from '@shop/service-kit/http/rate-limit';
import type { AuditUseCases } from '../audit/audit.use-cases.ts';
import type { Origin } from '../audit/origin.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { identityKey } from '../users/user.identity.ts';
import type { Attempt, AttemptCounter } from './attempt.counter.ts';
import { type Credential, createCredentialRepository } from './credential.repository.ts';
import { InvalidCredentials, TooManyFailures, WrongPassword } from './password.errors.ts';
import type { PasswordHasher } from './password.hasher.ts';

interface CredentialOptions {
  db: Prisma.TransactionClient;
  hasher: PasswordHasher;
  failures: AttemptCounter;
  audit: AuditUseCases;
}

/**
 * Whether a password is right. Wrong ones are counted for the account, whatever name it is called by, and for the
 * address; while a count is full the right one is refused too.
 */
export function createCredentialUseCases({ db, hasher, failures, audit }: CredentialOptions) {
  const credentials = createCredentialRepository(db);

  /** The same steps for an unknown account, so that neither answer nor time tells. */
  const isRight = async (attempt: Attempt, password: string, credential: Credential | undefined) => {
    const takeBack = await failures.take(attempt);
    const right = await hasher.verify(password, credential?.passwordHash).catch(async (error: unknown) => {
      await takeBack(false);
      throw error;
    });
    if (right) await takeBack(true);
    return right;
  };

  return {
    /**
     * @param identifier username or email in any spelling
     * @throws InvalidCredentials, TooManyFailures
     */
    async logIn(identifier: string, password: string, origin: Origin): Promise<Credential> {
      const key = identityKey(identifier);
      const credential = await credentials.findByKey(key);
      const account = credential === undefined ? `name:${digestOf(key)}` : accountOf(credential.userId);
      const attempt = { account, address: addressKey({ ip: origin.ip ?? '' }) };
      const right = await isRight(attempt, password, credential).catch((error: unknown) => {
        if (error instanceof TooManyFailures) audit.noteFailure(credential?.userId, origin, 'login_locked');
        throw error;
      });
      if (!right || credential === undefined) {
        audit.noteFailure(credential?.userId, origin);
        throw new InvalidCredentials();
      }
      if (hasher.isOutdated(credential.passwordHash))
        await credentials.strengthen(credential, await hasher.hash(password));
      return credential;
    },

    /**
     * The password of a user who is signed in, in a count of its own: failed sign-ins of strangers do not matter.
     * @throws WrongPassword, TooManyFailures
     */
    async confirm(userId: number, password: string, origin: Origin): Promise<Credential> {
      const credential = await credentials.findByUser(userId);
      const right = await isRight({ account: ownerOf(userId) }, password, credential);
      if (!right || credential === undefined) {
        audit.noteFailure(userId, origin, 'wrong_password');
        throw new WrongPassword();
      }
      return credential;
    },

    /** After the password was reset: neither sign-ins nor changes are held up by what failed before. */
    async unlock(userId: number): Promise<void> {
      await Promise.all([accountOf(userId), ownerOf(userId)].map(failures.forget));
    },
  };
}

export type CredentialUseCases = ReturnType<typeof createCredentialUseCases>;

const accountOf = (userId: number) => `user:${userId}`;
const ownerOf = (userId: number) => `owner:${userId}`;
/** What people type as their name may be a password: it is not kept in clear. */
const digestOf = (key: string) => createHash('sha256').update(key).digest('base64url');
