import type { MailKind } from './mail.kinds.ts';
import { MAIL_TOKEN_LIFETIME } from './mail-token.ts';

export interface MailText {
  subject: string;
  /** Where the storefront reads the token. */
  link: string;
  text: string;
}

const MINUTES = MAIL_TOKEN_LIFETIME / 60;

/** The storefront's page for each link, and the words around it. */
const WORDS: Record<MailKind, { page: string; subject: string; reason: string; otherwise: string }> = {
  verify_email: {
    page: 'verify-email',
    subject: 'Confirm your email address',
    reason: 'Please confirm that this is your email address:',
    otherwise: 'If you have not opened an account, ignore this mail.',
  },
  reset_password: {
    page: 'reset-password',
    subject: 'Reset your password',
    reason: 'Somebody, hopefully you, asked for a new password. Choose it here:',
    otherwise: 'If it was not you, ignore this mail: your password stays as it is.',
  },
};

/** @param shopUrl the storefront, without a slash at its end */
export function writeMail(kind: MailKind, username: string, token: string, shopUrl: string): MailText {
  const { page, subject, reason, otherwise } = WORDS[kind];
  const link = `${shopUrl}/${page}?token=${token}`;
  const limits = `The link works once and for ${MINUTES} minutes. ${otherwise}`;
  // A name with a dot may be taken for a link by the reader's program, and its owner is not known yet.
  const greeting = username.includes('.') ? 'Hello,' : `Hello ${username},`;
  return { subject, link, text: `${greeting}\n\n${reason}\n\n${link}\n\n${limits}\n` };
}
