import { createHash, randomBytes } from 'node:crypto';
import { text } from '@shop/service-kit/http/fields';

/** Seconds that the link in a mail is valid. */
export const MAIL_TOKEN_LIFETIME = 1800;

export interface MailToken {
  token: string;
  /** Stored in its place, so that a reader of the database cannot use it. */
  hash: string;
}

export function newMailToken(): MailToken {
  const token = randomBytes(32).toString('base64url');
  return { token, hash: hashOfMailToken(token) };
}

export const hashOfMailToken = (token: string) => createHash('sha256').update(token).digest('base64url');

/** A token in a body. Any text is accepted; one that is no token is not found. */
export const mailToken = text('Token', { max: 200 }).meta({
  description: 'The `token` of the emailed link.',
  example: 'Jt0u1zQF2cAqVb1mQm0m0WJb5uJ6C6m5c3m9c1mZr8k',
});
