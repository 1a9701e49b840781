import type { Prisma } from '../generated/prisma/client.ts';
import { InvalidMailToken } from './mail.errors.ts';
import type { MailKind } from './mail.kinds.ts';
import { createMailRepository } from './mail.repository.ts';
import { createMailTokenRepository, type MailTokenHolder } from './mail-token.repository.ts';
import { hashOfMailToken } from './mail-token.ts';

interface MailOptions {
  db: Prisma.TransactionClient;
  /** Tells the worker of this process that there is something to send. */
  nudge: () => void;
}

/** Mails that are asked for, and what the tokens in them are good for. */
export function createMailUseCases({ db, nudge }: MailOptions) {
  return {
    /**
     * Asks for a mail, unless the user got enough of them lately or has nothing to verify.
     * @param userId undefined: nobody, for whom the work is the same
     * @param tx the transaction that is the reason for it; `nudge` is to be called after its commit
     */
    ask: (userId: number | undefined, kind: MailKind, tx: Prisma.TransactionClient): Promise<void> =>
      createMailRepository(tx).ask(userId, kind),

    nudge,

    /** Whose token it is; it is not used by that. @throws InvalidMailToken */
    async holderOf(token: string, kind: MailKind): Promise<MailTokenHolder> {
      const holder = await createMailTokenRepository(db).findHolder(hashOfMailToken(token), kind);
      if (holder === undefined) throw new InvalidMailToken();
      return holder;
    },

    /** Uses a token, and voids all others of its kind that the user has. @returns whose it was @throws InvalidMailToken */
    async spend(token: string, kind: MailKind, tx: Prisma.TransactionClient): Promise<number> {
      const userId = await createMailTokenRepository(tx).spend(hashOfMailToken(token), kind);
      if (userId === undefined) throw new InvalidMailToken();
      return userId;
    },

    voidTokens: (userId: number, kind: MailKind, tx: Prisma.TransactionClient): Promise<void> =>
      createMailTokenRepository(tx).voidAll(userId, kind),

    async removeOld(): Promise<void> {
      await createMailRepository(db).removeOld();
      await createMailTokenRepository(db).removeExpired();
    },
  };
}

export type MailUseCases = ReturnType<typeof createMailUseCases>;
