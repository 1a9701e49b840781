/** The purpose of an email with a link, and of the token in it. */
export type LinkKind = 'verify_email' | 'reset_password';

/** `email_changed` goes to the address that the account had before. */
export type MailKind = LinkKind | 'email_changed';
