import type { Query } from '@shop/service-kit/postgres/query';
import { InvalidMailToken } from './mail.errors.ts';
import type { LinkKind } from './mail.kinds.ts';
import { createMailRepository } from './mail.repository.ts';
import { createMailTokenRepository, type MailTokenHolder } from './mail-token.repository.ts';
import { hashOfMailToken } from './mail-token.ts';

/**
 * As a part of a change: mails a link after its commit, unless the user got enough of them lately or has nothing to verify.
 * @param userId undefined for an unknown user, for whom the work is the same
 */
export const requestMail = (query: Query, userId: number | undefined, kind: LinkKind): Promise<void> =>
  createMailRepository(query).add(userId, kind);

/** As a part of a change of the email address: reports it to the former one. */
export const reportMove = (query: Query, userId: number, formerEmail: string): Promise<void> =>
  createMailRepository(query).add(userId, 'email_changed', formerEmail);

/** Whose token it is, without using it. @throws InvalidMailToken */
export async function findMailTokenHolder(
  query: Query,
  token: string,
  kind: LinkKind,
): Promise<MailTokenHolder> {
  const holder = await createMailTokenRepository(query).findHolder(hashOfMailToken(token), kind);
  if (holder === undefined) throw new InvalidMailToken();
  return holder;
}

/** Uses a token, and voids all others of its kind that the user has. @returns the user @throws InvalidMailToken */
export async function spendMailToken(query: Query, token: string, kind: LinkKind): Promise<number> {
  const userId = await createMailTokenRepository(query).spend(hashOfMailToken(token), kind);
  if (userId === undefined) throw new InvalidMailToken();
  return userId;
}

export const voidMailTokens = (query: Query, userId: number, kind: LinkKind): Promise<void> =>
  createMailTokenRepository(query).voidAll(userId, kind);
