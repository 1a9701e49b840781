import { Busy } from '@shop/service-kit/errors/http-errors';
import { InvalidCredentials, WrongPassword } from '../credentials/credential.errors.ts';
import { InvalidMailToken } from '../mail/mail.errors.ts';
import { EmailNotVerified } from '../sessions/session.errors.ts';

/** The expected failures of each operation: what its use-case may throw. */
export const errorsOf = {
  login: [InvalidCredentials, EmailNotVerified, Busy],
  changePassword: [WrongPassword, Busy],
  resetPassword: [InvalidMailToken, Busy],
};
