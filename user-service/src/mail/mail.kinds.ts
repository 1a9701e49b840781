/** The purpose of an email with a link, and of the token in it. */
export type LinkKind = 'verify_email' | 'reset_password';

export const MAIL_KINDS = ['verify_email', 'reset_password', 'email_changed'] as const;

/** `email_changed` goes to the address that the account had before. */
export type MailKind = (typeof MAIL_KINDS)[number];
