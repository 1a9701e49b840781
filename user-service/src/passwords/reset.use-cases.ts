import type { Query } from '@shop/service-kit/postgres/query';
import type { ChangeAccounts } from '../accounts/account.changer.ts';
import type { Origin } from '../audit/origin.ts';
import type { CredentialUseCases } from '../credentials/credential.use-cases.ts';
import type { PasswordHasher } from '../credentials/password.hasher.ts';
import { type PasswordRules, refusePersonal } from '../credentials/password.rules.ts';
import { findMailTokenHolder, requestMail, spendMailToken } from '../mail/mail.steps.ts';
import type { SessionUseCases } from '../sessions/session.use-cases.ts';

interface ResetOptions {
  query: Query;
  change: ChangeAccounts;
  credentials: CredentialUseCases;
  hasher: PasswordHasher;
  rules: PasswordRules;
  sessions: SessionUseCases;
}

export function createResetUseCases(options: ResetOptions) {
  const { query, change, credentials, hasher, rules, sessions } = options;
  return {
    /**
     * Mails a link to the account with this address. An unknown address takes the same statements, one row of the audit
     * trail and one commit, and several requests at once wait for each other as well, so neither response nor time
     * reveals whether there is an account.
     */
    request(email: string, origin: Origin): Promise<void> {
      return change([], async ({ query, record }) => {
        const userId = await credentials.lockByEmail(query, email);
        await requestMail(query, userId, 'reset_password');
        record({ event: 'password_reset_asked', userId, origin });
      });
    },

    /**
     * Sets the password, for the token of a mail; every session of the user is revoked, and so are the other links of
     * this kind.
     * @throws InvalidMailToken, ValidationFailed
     */
    async confirm(token: string, newPassword: string, origin: Origin): Promise<void> {
      // Hashing is the costly part: it is not done without a valid token.
      const holder = await findMailTokenHolder(query, token, 'reset_password');
      refusePersonal(rules, newPassword, holder);
      const newHash = await hasher.hash(newPassword);
      const userId = await change([holder.userId], async (step) => {
        const userId = await spendMailToken(step.query, token, 'reset_password');
        await credentials.reset(step.query, userId, newHash);
        step.record({ event: 'password_reset', userId, origin });
        await sessions.revokeAll(userId, 'password_reset', step);
        return userId;
      });
      await credentials.unlock(userId);
    },
  };
}

export type ResetUseCases = ReturnType<typeof createResetUseCases>;
