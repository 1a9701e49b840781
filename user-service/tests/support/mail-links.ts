import type { PrismaClient } from '../../src/generated/prisma/client.ts';
import { identityKey } from '../../src/identity/identity.ts';
import { newMailToken } from '../../src/mail/mail-token.ts';

type Kind = 'verify_email' | 'reset_password';

/** Creates a mail token without sending a mail. */
export async function mailedToken(db: PrismaClient, user: { id: number; email: string }, kind: Kind) {
  const { token, hash } = newMailToken();
  const expiresAt = new Date(Date.now() + 1_800_000);
  await db.mailToken.create({
    data: { hash, userId: user.id, kind, emailKey: identityKey(user.email), expiresAt },
  });
  return token;
}

/** The mails of a kind to a user. */
export const mailsAskedFor = (db: PrismaClient, userId: number, kind: Kind | 'email_changed') =>
  db.mailRequest.count({ where: { userId, kind } });
