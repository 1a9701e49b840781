import type { Prisma } from '../generated/prisma/client.ts';
import { InvalidMailToken } from './mail.errors.ts';
import type { LinkKind } from './mail.kinds.ts';
import { createMailRepository } from './mail.repository.ts';
import { createMailTokenRepository, type MailTokenHolder } from './mail-token.repository.ts';
import { hashOfMailToken } from './mail-token.ts';

/** Mails that are asked for, and what the tokens in them are good for. */
export function createMailUseCases(db: Prisma.TransactionClient) {
  return {
    /**
     * Asks for a mail with a link, unless the user got enough of them lately or has nothing to verify.
     * @param userId undefined: nobody, for whom the work is the same
     * @param tx the transaction that is the reason for it: the mail is sent after its commit
     */
    ask: (userId: number | undefined, kind: LinkKind, tx: Prisma.TransactionClient): Promise<void> =>
      createMailRepository(tx).ask(userId, kind),

    /** Lets the address that an account had until now know of the change. @param tx the transaction that makes it */
    reportMove: (userId: number, formerEmail: string, tx: Prisma.TransactionClient): Promise<void> =>
      createMailRepository(tx).ask(userId, 'email_changed', formerEmail),

    /** Whose token it is; it is not used by that. @throws InvalidMailToken */
    async holderOf(token: string, kind: LinkKind): Promise<MailTokenHolder> {
      const holder = await createMailTokenRepository(db).findHolder(hashOfMailToken(token), kind);
      if (holder === undefined) throw new InvalidMailToken();
      return holder;
    },

    /** Uses a token, and voids all others of its kind that the user has. @returns whose it was @throws InvalidMailToken */
    async spend(token: string, kind: LinkKind, tx: Prisma.TransactionClient): Promise<number> {
      const userId = await createMailTokenRepository(tx).spend(hashOfMailToken(token), kind);
      if (userId === undefined) throw new InvalidMailToken();
      return userId;
    },

    voidTokens: (userId: number, kind: LinkKind, tx: Prisma.TransactionClient): Promise<void> =>
      createMailTokenRepository(tx).voidAll(userId, kind),
  };
}

export type MailUseCases = ReturnType<typeof createMailUseCases>;
