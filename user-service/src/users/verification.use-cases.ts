import type { User } from '@shop/service-kit/http/request-context';
import type { UserCache } from '@shop/service-kit/redis/user-cache';
import type { AuditUseCases } from '../audit/audit.use-cases.ts';
import type { Origin } from '../audit/origin.ts';
import type { PrismaClient } from '../generated/prisma/client.ts';
import type { MailUseCases } from '../mail/mail.use-cases.ts';
import { createUserRepository } from './user.repository.ts';

interface VerificationOptions {
  db: PrismaClient;
  mails: MailUseCases;
  audit: AuditUseCases;
  cache: Pick<UserCache, 'whileChanging'>;
}

/** Whether a user reads the mails of his address: whoever has the token of one does. */
export function createVerificationUseCases({ db, mails, audit, cache }: VerificationOptions) {
  return {
    /** Mails another link, unless the address is verified already or got enough of them lately. */
    async ask(user: User): Promise<void> {
      await db.$transaction((tx) => mails.ask(user.id, 'verify_email', tx));
    },

    /** @throws InvalidMailToken */
    async verify(token: string, origin: Origin): Promise<void> {
      const holder = await mails.holderOf(token, 'verify_email');
      await cache.whileChanging([holder.userId], () =>
        db.$transaction(async (tx) => {
          const userId = await mails.spend(token, 'verify_email', tx);
          const isNew = await createUserRepository(tx).verifyEmail(userId);
          if (isNew) await audit.record(tx, { event: 'email_verified', userId, origin });
        }),
      );
    },
  };
}

export type VerificationUseCases = ReturnType<typeof createVerificationUseCases>;
