import type { User } from '@shop/service-kit/http/principal';
import type { Query } from '@shop/service-kit/postgres/query';
import type { ChangeAccounts } from '../accounts/account.changer.ts';
import type { Origin } from '../audit/origin.ts';
import { findMailTokenHolder, requestMail, spendMailToken } from '../mail/mail.steps.ts';
import { createUserRepository } from './user.repository.ts';

interface VerificationOptions {
  query: Query;
  change: ChangeAccounts;
}

/** Proof that users read the mails to their address: the token of such a mail. */
export function createVerificationUseCases({ query, change }: VerificationOptions) {
  return {
    /** Mails another link, unless the address is verified already or got enough of them lately. */
    request: (user: User): Promise<void> =>
      change([], ({ query }) => requestMail(query, user.id, 'verify_email')),

    /** @throws InvalidMailToken */
    async verify(token: string, origin: Origin): Promise<void> {
      const holder = await findMailTokenHolder(query, token, 'verify_email');
      await change([holder.userId], async ({ query, record }) => {
        const userId = await spendMailToken(query, token, 'verify_email');
        const isNew = await createUserRepository(query).verifyEmail(userId);
        if (isNew) record({ event: 'email_verified', userId, origin });
      });
    },
  };
}

export type VerificationUseCases = ReturnType<typeof createVerificationUseCases>;
