import type { Query } from '@shop/service-kit/postgres/query';
import { InvalidMailToken } from './mail.errors.ts';
import type { LinkKind } from './mail.kinds.ts';
import { createMailTokenRepository, type MailTokenHolder } from './mail-token.repository.ts';
import { hashOfMailToken } from './mail-token.ts';

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
