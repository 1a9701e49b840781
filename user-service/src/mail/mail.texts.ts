import type { LinkKind } from './mail.kinds.ts';
import { MAIL_TOKEN_LIFETIME } from './mail-token.ts';

export interface MailText {
  subject: string;
  /** Where the storefront reads the token. */
  link?: string;
  text: string;
}

const MINUTES = MAIL_TOKEN_LIFETIME / 60;

/** The storefront's page for each link, and the text around it. */
const WORDS: Record<LinkKind, { page: string; subject: string; reason: string; otherwise: string }> = {
  verify_email: {
    page: 'verify-email',
    subject: 'Confirm your email address',
    reason: 'Please confirm that this is your email address:',
    otherwise: 'If you have not opened an account, ignore this mail.',
  },
  reset_password: {
    page: 'reset-password',
    subject: 'Reset your password',
    reason: 'Someone, hopefully you, asked for a new password. Choose it here:',
    otherwise: 'If it was not you, ignore this mail: your password stays as it is.',
  },
};

/** @param shopUrl the storefront, without a slash at its end */
export function writeLinkMail(kind: LinkKind, username: string, token: string, shopUrl: string): MailText {
  const { page, subject, reason, otherwise } = WORDS[kind];
  const link = `${shopUrl}/${page}?token=${token}`;
  const limits = `The link works once and for ${MINUTES} minutes. ${otherwise}`;
  return { subject, link, text: `${greet(username)}\n\n${reason}\n\n${link}\n\n${limits}\n` };
}

/** To the address that an account had until now; it does not name the new one. */
export function writeNotice(username: string): MailText {
  const reason =
    'The email address of your account was changed. Emails about it go to the new address from now on.';
  const otherwise = 'If it was not you, someone else is using your account: contact the shop at once.';
  return {
    subject: 'Your email address was changed',
    text: `${greet(username)}\n\n${reason}\n\n${otherwise}\n`,
  };
}

/** Mail programs turn names with a dot into links, and the user who chose the name is not verified yet. */
const greet = (username: string) => (username.includes('.') ? 'Hello,' : `Hello ${username},`);
