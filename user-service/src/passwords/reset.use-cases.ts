import type { UserCache } from '@shop/service-kit/redis/user-cache';
import type { AuditUseCases } from '../audit/audit.use-cases.ts';
import type { Origin } from '../audit/origin.ts';
import type { PrismaClient } from '../generated/prisma/client.ts';
import type { MailUseCases } from '../mail/mail.use-cases.ts';
import type { SessionUseCases } from '../sessions/session.use-cases.ts';
import { identityKey } from '../users/user.identity.ts';
import { createCredentialRepository } from './credential.repository.ts';
import type { CredentialUseCases } from './credential.use-cases.ts';
import type { PasswordHasher } from './password.hasher.ts';
import { type PasswordRules, refusePersonal } from './password.rules.ts';

interface ResetOptions {
  db: PrismaClient;
  credentials: CredentialUseCases;
  hasher: PasswordHasher;
  rules: PasswordRules;
  sessions: SessionUseCases;
  mails: MailUseCases;
  audit: AuditUseCases;
  cache: Pick<UserCache, 'whileChanging'>;
}

export function createResetUseCases(options: ResetOptions) {
  const { db, credentials, hasher, rules, sessions, mails, audit, cache } = options;
  return {
    /**
     * Mails a link to whoever has the address. Nobody's address takes the same statements, one row of the audit trail
     * and one commit, and several at once wait for each other as well, so neither answer nor time tells.
     */
    async ask(email: string, origin: Origin): Promise<void> {
      await db.$transaction(async (tx) => {
        const inside = createCredentialRepository(tx);
        await inside.lockKey(identityKey(email));
        const account = await inside.findByKey(identityKey(email));
        await mails.ask(account?.userId, 'reset_password', tx);
        const asked = { event: 'password_reset_asked', userId: account?.userId, origin } as const;
        await audit.record(tx, asked);
      });
    },

    /**
     * Sets the password, for the token of a mail; every session of the user is revoked, and so are the other links of this kind.
     * @throws InvalidMailToken, ValidationFailed
     */
    async confirm(token: string, newPassword: string, origin: Origin): Promise<void> {
      // Hashing is the costly part: not for whoever has no good token.
      const holder = await mails.holderOf(token, 'reset_password');
      refusePersonal(rules, newPassword, holder);
      const newHash = await hasher.hash(newPassword);
      const { userId, voided } = await cache.whileChanging([holder.userId], () =>
        db.$transaction(async (tx) => {
          const userId = await mails.spend(token, 'reset_password', tx);
          await createCredentialRepository(tx).reset(userId, newHash);
          await audit.record(tx, { event: 'password_reset', userId, origin });
          const { voided } = await sessions.endAll(userId, 'password_reset', tx);
          return { userId, voided };
        }),
      );
      sessions.announce(voided);
      await credentials.unlock(userId);
    },
  };
}

export type ResetUseCases = ReturnType<typeof createResetUseCases>;
