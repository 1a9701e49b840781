import { fieldCode, message, text } from '@shop/service-kit/http/fields';
import { pagingQuery, pagingResponse } from '@shop/service-kit/http/paging';
import { z } from 'zod';
import { passwordField } from '../credentials/password.fields.ts';
import { type PasswordRules, personalIssue } from '../credentials/password.rules.ts';
import { email, username } from '../identity/identity.fields.ts';
import { MAX_EMAIL } from '../identity/identity.ts';
import { role, userResponse } from '../identity/user.response.ts';
import { mailToken } from '../mail/mail-token.ts';
import { tokensResponse } from '../tokens/tokens.response.ts';

export function createUserSchemas(rules: PasswordRules) {
  return {
    registration: z
      .strictObject({
        username,
        email,
        password: passwordField('Password', rules).meta({ example: 'correct horse battery' }),
      })
      .refine(({ password, ...person }) => !rules.isPersonal(password, person), {
        error: personalIssue('Password'),
        path: ['password'],
        ...fieldCode('too_personal'),
      }),
    registered: z.object({
      message: message('User registered successfully'),
      user: userResponse,
      tokens: tokensResponse.optional().meta({
        description: 'Omitted if the address must be verified before the first sign-in.',
      }),
    }),
  };
}

export type UserSchemas = ReturnType<typeof createUserSchemas>;
export type Registration = z.output<UserSchemas['registration']>;

export const changesBody = z
  .strictObject({ email: email.optional(), username: username.optional() })
  .meta({ minProperties: 1 })
  .refine((changes) => changes.email !== undefined || changes.username !== undefined, {
    error: 'Email or username is required',
    ...fieldCode('required'),
  });
export type Changes = z.output<typeof changesBody>;

export const roleBody = z.strictObject({
  role: role.meta({ description: 'The role to set.', example: 'admin' }),
});
export const usersQuery = z.object({
  ...pagingQuery(20),
  q: text('q', { max: MAX_EMAIL }).optional().meta({ description: 'Part of a name or an email address.' }),
  role: role.optional().meta({ description: 'Only users with this role.' }),
});
export type UsersQuery = z.output<typeof usersQuery>;

export const oneUser = z.object({ user: userResponse });
export const changedUser = z.object({ message: message('User updated successfully'), user: userResponse });
export const done = (text: string) => z.object({ message: message(text) });
export const verification = z.strictObject({ token: mailToken });
export const usersResponse = z
  .object({
    users: z.array(userResponse).meta({ description: 'The rows of this page.', maxItems: 100 }),
    ...pagingResponse,
  })
  .meta({ id: 'UserPage', description: 'A page of users.' });
