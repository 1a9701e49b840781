import type { ChangeAccounts } from '../accounts/account.changer.ts';
import type { Origin } from '../audit/origin.ts';
import { InvalidCredentials } from '../credentials/credential.errors.ts';
import type { CredentialUseCases } from '../credentials/credential.use-cases.ts';
import type { Account } from '../identity/account.ts';
import type { SessionUseCases } from '../sessions/session.use-cases.ts';
import type { Tokens } from '../tokens/tokens.response.ts';

interface LoginOptions {
  change: ChangeAccounts;
  credentials: CredentialUseCases;
  sessions: SessionUseCases;
}

/**
 * @param identifier username or email in any spelling
 * @throws InvalidCredentials, also when the password was just changed; TooManyFailures; EmailNotVerified, after
 *   which an email with a link is sent
 */
export type LogIn = (
  identifier: string,
  password: string,
  origin: Origin,
) => Promise<{ account: Account; tokens: Tokens }>;

export function createLogin({ change, credentials, sessions }: LoginOptions): LogIn {
  return async (identifier, password, origin) => {
    const { account, passwordVersion } = await credentials.check(identifier, password, origin);
    const { id: userId, emailVerified } = account;
    await sessions.requireVerified(userId, emailVerified, origin);
    const { tokens, role } = await change([], async (step) => {
      const started = await sessions.start({ userId, passwordVersion }, origin, step);
      if (started === undefined) throw new InvalidCredentials();
      step.record({ event: 'login_succeeded', userId, actorId: userId, origin });
      return started;
    });
    return { account: { ...account, role }, tokens };
  };
}
