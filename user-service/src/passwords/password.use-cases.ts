import type { User } from '@shop/service-kit/http/principal';
import type { ChangeAccounts } from '../accounts/account.changer.ts';
import type { Origin } from '../audit/origin.ts';
import type { CredentialUseCases } from '../credentials/credential.use-cases.ts';
import type { PasswordHasher } from '../credentials/password.hasher.ts';
import { type PasswordRules, refusePersonal } from '../credentials/password.rules.ts';
import { voidMailTokens } from '../mail/mail.steps.ts';
import type { SessionUseCases } from '../sessions/session.use-cases.ts';
import type { Tokens } from '../tokens/tokens.response.ts';
import type { PasswordChange } from './password.schemas.ts';

interface PasswordOptions {
  change: ChangeAccounts;
  credentials: CredentialUseCases;
  hasher: PasswordHasher;
  rules: PasswordRules;
  sessions: SessionUseCases;
}

export function createPasswordUseCases({ change, credentials, hasher, rules, sessions }: PasswordOptions) {
  return {
    /**
     * Sets a new password and revokes every other session of the user; links for a reset are void.
     * @returns tokens that replace those of this session
     * @throws WrongPassword, ValidationFailed, TooManyFailures, SessionEnded
     */
    async change(user: User, passwords: PasswordChange, origin: Origin): Promise<Tokens> {
      const { current_password: currentPassword, new_password: newPassword } = passwords;
      const credential = await credentials.confirm(user.id, currentPassword, origin);
      refusePersonal(rules, newPassword, credential.account);
      const newHash = await hasher.hash(newPassword);
      return change([user.id], async (step) => {
        await credentials.replace(step.query, credential, newHash);
        await voidMailTokens(step.query, user.id, 'reset_password');
        step.record({ event: 'password_changed', userId: user.id, actorId: user.id, origin });
        return sessions.keepOnly(user, credential.passwordVersion + 1, 'password_changed', step);
      });
    },
  };
}

export type PasswordUseCases = ReturnType<typeof createPasswordUseCases>;
