import { defineError } from '@shop/service-kit/errors/app-error';
import { Busy, Forbidden } from '@shop/service-kit/errors/http-errors';
import { InvalidMailToken } from '../mail/mail.errors.ts';

export const UserNotFound = defineError(404, 'user_not_found', 'User not found');
export const LastAdmin = defineError(409, 'last_admin', 'There must be at least one admin');
export const UsernameTaken = defineError(409, 'username_taken', 'Username already exists');
export const EmailTaken = defineError(409, 'email_taken', 'Email already exists');

/** The expected failures of each operation: what its use-case may throw. */
export const errorsOf = {
  registerUser: [UsernameTaken, EmailTaken, Busy],
  getUser: [Forbidden, UserNotFound],
  updateUser: [Forbidden, UserNotFound, UsernameTaken, EmailTaken],
  deleteUser: [Forbidden, UserNotFound, LastAdmin],
  setUserRole: [Forbidden, UserNotFound, LastAdmin],
  listUserSessions: [UserNotFound],
  revokeUserSessions: [UserNotFound],
  verifyEmail: [InvalidMailToken],
};
