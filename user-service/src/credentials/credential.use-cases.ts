import { createHash } from 'node:crypto';
import { addressKey } from '@shop/service-kit/http/rate-limit';
import type { Query } from '@shop/service-kit/postgres/query';
import type { AuditUseCases } from '../audit/audit.use-cases.ts';
import type { Origin } from '../audit/origin.ts';
import { identityKey } from '../identity/identity.ts';
import type { Attempt, AttemptCounter } from './attempt.counter.ts';
import { InvalidCredentials, TooManyFailures, WrongPassword } from './credential.errors.ts';
import { type Credential, createCredentialRepository } from './credential.repository.ts';
import type { PasswordHasher } from './password.hasher.ts';

interface CredentialOptions {
  query: Query;
  hasher: PasswordHasher;
  failures: AttemptCounter;
  audit: Pick<AuditUseCases, 'noteFailure'>;
}

/**
 * Whether a password is right. Wrong ones are counted per account, by whatever name, and per address. While a count is
 * full, the right password is refused too.
 */
export function createCredentialUseCases({ query, hasher, failures, audit }: CredentialOptions) {
  const credentials = createCredentialRepository(query);

  /**
   * The same steps for an unknown account, so that neither response nor time reveals whether there is one. The count of
   * a right password is taken back while its caller goes on. A refusal because of earlier failures is audited.
   */
  const isRight = async (
    attempt: Attempt,
    password: string,
    credential: Credential | undefined,
    origin: Origin,
  ) => {
    const takeBack = await failures.take(attempt).catch((error: unknown) => {
      if (error instanceof TooManyFailures) audit.noteFailure(credential?.account.id, origin, 'login_locked');
      throw error;
    });
    const right = await hasher.verify(password, credential?.passwordHash).catch(async (error: unknown) => {
      await takeBack(false);
      throw error;
    });
    if (right) void takeBack(true);
    return right;
  };

  return {
    /**
     * @param identifier username or email in any spelling
     * @throws InvalidCredentials, TooManyFailures
     */
    async check(identifier: string, password: string, origin: Origin): Promise<Credential> {
      const key = identityKey(identifier);
      const credential = await credentials.findByKey(key);
      const account = credential === undefined ? `name:${digestOf(key)}` : accountOf(credential.account.id);
      const attempt = { account, address: addressKey(origin.ip ?? '') };
      const right = await isRight(attempt, password, credential, origin);
      if (!right || credential === undefined) {
        audit.noteFailure(credential?.account.id, origin);
        throw new InvalidCredentials();
      }
      if (hasher.isOutdated(credential.passwordHash))
        await credentials.strengthen(credential, await hasher.hash(password));
      return credential;
    },

    /**
     * The password of a user who is signed in. It has a count of its own: failed logins of strangers do not matter.
     * @throws WrongPassword, TooManyFailures
     */
    async confirm(userId: number, password: string, origin: Origin): Promise<Credential> {
      const credential = await credentials.findByUser(userId);
      const right = await isRight({ account: ownerOf(userId) }, password, credential, origin);
      if (!right || credential === undefined) {
        audit.noteFailure(userId, origin, 'wrong_password');
        throw new WrongPassword();
      }
      return credential;
    },

    /** As a part of a change. @throws WrongPassword when the password was changed since the credential was read */
    async replace(query: Query, credential: Credential, newHash: string): Promise<void> {
      if (!(await createCredentialRepository(query).replace(credential, newHash))) throw new WrongPassword();
    },

    /**
     * As a part of a change: others with the same address wait for its end, whether an account has it or not.
     * @returns the user with this address
     */
    async lockByEmail(query: Query, email: string): Promise<number | undefined> {
      const inside = createCredentialRepository(query);
      const key = identityKey(email);
      await inside.lockKey(key);
      return (await inside.findByKey(key))?.account.id;
    },

    /** As a part of a change, by the token of a mail. */
    reset: (query: Query, userId: number, newHash: string): Promise<void> =>
      createCredentialRepository(query).reset(userId, newHash),

    /** After the password was reset: neither logins nor changes are refused for what failed before. */
    async unlock(userId: number): Promise<void> {
      await Promise.all([accountOf(userId), ownerOf(userId)].map(failures.forget));
    },
  };
}

export type CredentialUseCases = ReturnType<typeof createCredentialUseCases>;

const accountOf = (userId: number) => `user:${userId}`;
const ownerOf = (userId: number) => `owner:${userId}`;
/** What people type as their name may be a password: it is not kept in clear text. */
const digestOf = (key: string) => createHash('sha256').update(key).digest('base64url');
