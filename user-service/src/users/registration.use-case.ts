import type { Query } from '@shop/service-kit/postgres/query';
import type { ChangeAccounts } from '../accounts/account.changer.ts';
import type { Origin } from '../audit/origin.ts';
import type { PasswordHasher } from '../credentials/password.hasher.ts';
import type { Account } from '../identity/account.ts';
import { requestMail } from '../mail/mail.steps.ts';
import type { SessionUseCases } from '../sessions/session.use-cases.ts';
import type { Tokens } from '../tokens/tokens.response.ts';
import { EmailTaken, UsernameTaken } from './user.errors.ts';
import { createUserRepository } from './user.repository.ts';
import type { Registration } from './user.schemas.ts';

interface RegistrationOptions {
  query: Query;
  change: ChangeAccounts;
  hasher: PasswordHasher;
  sessions: SessionUseCases;
}

/** The password version that every account begins with. */
const FIRST_PASSWORD = 1;

/**
 * Opens an account and mails a link that verifies its address.
 * @returns no tokens where the address has to be verified first
 * @throws UsernameTaken, EmailTaken
 */
export type Register = (
  registration: Registration,
  origin: Origin,
) => Promise<{ account: Account; tokens: Tokens | undefined }>;

export function createRegistration({ query, change, hasher, sessions }: RegistrationOptions): Register {
  return async ({ username, email, password }, origin) => {
    const taken = await createUserRepository(query).findTaken({ username, email });
    if (taken !== undefined) throw taken === 'username' ? new UsernameTaken() : new EmailTaken();
    const passwordHash = await hasher.hash(password);
    return change([], async (step) => {
      const account = await createUserRepository(step.query).create({ username, email, passwordHash });
      const { id: userId } = account;
      await requestMail(step.query, userId, 'verify_email');
      step.record({ event: 'registered', userId, actorId: userId, origin });
      if (sessions.requireVerifiedEmail) return { account, tokens: undefined };
      const started = await sessions.start({ userId, passwordVersion: FIRST_PASSWORD }, origin, step);
      return { account, tokens: started?.tokens };
    });
  };
}
