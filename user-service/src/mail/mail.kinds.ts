/** What a mail, and the token in its link, is for. */
export type MailKind = 'verify_email' | 'reset_password';
