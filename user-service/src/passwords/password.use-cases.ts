import type { User } from '@shop/service-kit/http/request-context';
import type { UserCache } from '@shop/service-kit/redis/user-cache';
import type { AuditUseCases } from '../audit/audit.use-cases.ts';
import type { Origin } from '../audit/origin.ts';
import type { PrismaClient } from '../generated/prisma/client.ts';
import type { MailUseCases } from '../mail/mail.use-cases.ts';
import type { SessionUseCases } from '../sessions/session.use-cases.ts';
import type { Tokens } from '../sessions/tokens.answer.ts';
import { createCredentialRepository } from './credential.repository.ts';
import type { CredentialUseCases } from './credential.use-cases.ts';
import { WrongPassword } from './password.errors.ts';
import type { PasswordHasher } from './password.hasher.ts';
import { type PasswordRules, refusePersonal } from './password.rules.ts';
import type { PasswordChange } from './password.schemas.ts';

interface PasswordOptions {
  db: PrismaClient;
  credentials: CredentialUseCases;
  hasher: PasswordHasher;
  rules: PasswordRules;
  sessions: SessionUseCases;
  mails: MailUseCases;
  audit: AuditUseCases;
  cache: Pick<UserCache, 'whileChanging'>;
}

export function createPasswordUseCases(options: PasswordOptions) {
  const { db, credentials, hasher, rules, sessions, mails, audit, cache } = options;
  return {
    /**
     * Sets a new password and revokes every other session of the user; links for a reset are void.
     * @returns tokens that replace those of this session
     * @throws WrongPassword, ValidationFailed, TooManyFailures, SessionEnded
     */
    async change(user: User, passwords: PasswordChange, origin: Origin): Promise<Tokens> {
      const { current_password: currentPassword, new_password: newPassword } = passwords;
      const credential = await credentials.confirm(user.id, currentPassword, origin);
      refusePersonal(rules, newPassword, credential);
      const newHash = await hasher.hash(newPassword);
      const { tokens, voided } = await cache.whileChanging([user.id], () =>
        db.$transaction(async (tx) => {
          if (!(await createCredentialRepository(tx).replace(credential, newHash))) throw new WrongPassword();
          await mails.voidTokens(user.id, 'reset_password', tx);
          const changed = {
            event: 'password_changed',
            userId: user.id,
            actorId: user.id,
            origin,
          } as const;
          await audit.record(tx, changed);
          return sessions.keepOnly(user, credential.passwordVersion + 1, 'password_changed', tx);
        }),
      );
      sessions.announce(voided);
      return tokens;
    },
  };
}

export type PasswordUseCases = ReturnType<typeof createPasswordUseCases>;
