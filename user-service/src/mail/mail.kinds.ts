/** What a mail with a link, and the token in that link, is for. */
export type LinkKind = 'verify_email' | 'reset_password';

/** What a mail is about. `email_changed` goes to the address that the account had before. */
export type MailKind = LinkKind | 'email_changed';
