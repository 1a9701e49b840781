import { text } from '@shop/service-kit/http/fields';
import { pagingAnswer, pagingQuery } from '@shop/service-kit/http/paging';
import { z } from 'zod';
import { passwordField } from '../passwords/password.schemas.ts';
import { tokensAnswer } from '../sessions/tokens.answer.ts';
import { role, userAnswer } from './user.answer.ts';
import { isEmail, isUsername, MAX_EMAIL, MAX_USERNAME } from './user.identity.ts';

const toNfc = (value: string) => value.normalize('NFC');

const username = text('Username', { min: 3, max: MAX_USERNAME })
  .transform(toNfc)
  .refine(isUsername, { error: 'Username may have letters, digits, "_", "." and "-" only' });
const email = text('Email', { max: MAX_EMAIL })
  .transform(toNfc)
  .refine(isEmail, { error: 'Invalid email format' });

export function createUserSchemas(minPasswordLength: number) {
  return {
    registration: z.strictObject({ username, email, password: passwordField('Password', minPasswordLength) }),
    registered: z.object({ message: z.string(), user: userAnswer, tokens: tokensAnswer }),
  };
}

export type UserSchemas = ReturnType<typeof createUserSchemas>;
export type Registration = z.output<UserSchemas['registration']>;

export const changesBody = z
  .strictObject({ email: email.optional(), username: username.optional() })
  .refine((changes) => changes.email !== undefined || changes.username !== undefined, {
    error: 'Email or username is required',
  });
export type Changes = z.output<typeof changesBody>;

export const roleBody = z.strictObject({ role });
export const usersQuery = z.object({
  ...pagingQuery(20),
  q: text('q', { max: MAX_EMAIL }).optional(),
  role: role.optional(),
});
export type UsersQuery = z.output<typeof usersQuery>;

export const oneUser = z.object({ user: userAnswer });
export const changedUser = z.object({ message: z.string(), user: userAnswer });
export const deletedUser = z.object({ message: z.string() });
export const usersAnswer = z.object({ users: z.array(userAnswer), ...pagingAnswer });
