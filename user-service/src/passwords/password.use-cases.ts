import type { User } from '@shop/service-kit/http/request-context';
import type { PrismaClient } from '../generated/prisma/client.ts';
import type { SessionUseCases } from '../sessions/session.use-cases.ts';
import type { Tokens } from '../sessions/tokens.answer.ts';
import { createCredentialRepository } from './credential.repository.ts';
import type { CredentialUseCases } from './credential.use-cases.ts';
import { WrongPassword } from './password.errors.ts';
import type { PasswordHasher } from './password.hasher.ts';

interface PasswordOptions {
  db: PrismaClient;
  credentials: CredentialUseCases;
  hasher: PasswordHasher;
  sessions: SessionUseCases;
}

export function createPasswordUseCases({ db, credentials, hasher, sessions }: PasswordOptions) {
  return {
    /**
     * Sets a new password and ends every other session of the user.
     * @returns tokens that replace those of this session
     * @throws WrongPassword, TooManyFailures, Busy, SessionEnded
     */
    async change(user: User, currentPassword: string, newPassword: string): Promise<Tokens> {
      const credential = await credentials.confirm(user.id, currentPassword);
      const newHash = await hasher.hash(newPassword);
      const { tokens, revoked } = await db.$transaction(async (tx) => {
        if (!(await createCredentialRepository(tx).replace(credential, newHash))) throw new WrongPassword();
        return sessions.keepOnly(user, 'password_changed', tx);
      });
      await sessions.announce(revoked);
      return tokens;
    },
  };
}

export type PasswordUseCases = ReturnType<typeof createPasswordUseCases>;
