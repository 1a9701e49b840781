import { defineError } from '@shop/service-kit/errors/app-error';

export const UserNotFound = defineError(404, 'user_not_found', 'User not found');
export const LastAdmin = defineError(409, 'last_admin', 'There must be at least one admin');
export const UsernameTaken = defineError(409, 'username_taken', 'Username already exists');
export const EmailTaken = defineError(409, 'email_taken', 'Email already exists');
