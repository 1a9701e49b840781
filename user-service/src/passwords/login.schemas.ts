import { fieldCode, message, optional, text } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import { presentedPassword } from '../credentials/password.fields.ts';
import { MAX_EMAIL } from '../identity/identity.ts';
import { userResponse } from '../identity/user.response.ts';
import { tokensResponse } from '../tokens/tokens.response.ts';

const NAME_REQUIRED = 'Username or email is required';

const loginName = optional(text('Username or email', { max: MAX_EMAIL }));

export const loginBody = z
  .strictObject({
    username: loginName.meta({
      description: 'Name or email address. Either `username` or `email` is required.',
      example: 'ada_lovelace',
    }),
    email: loginName.meta({ description: 'The same as `username`.' }),
    password: presentedPassword('Password').meta({
      description: 'Password.',
      example: 'correct horse battery',
    }),
  })
  .refine((body) => body.username !== undefined || body.email !== undefined, {
    error: NAME_REQUIRED,
    ...fieldCode('required'),
    // Also when the password is missing: all that is wrong is reported at once.
    when: ({ issues, value }) => isRecord(value) && !issues.some(({ path }) => isName(path?.[0])),
  })
  .transform(({ username, email, password }) => ({ identifier: username ?? email ?? '', password }));

export const loggedIn = z.object({
  message: message('Login successful'),
  user: userResponse,
  tokens: tokensResponse,
});

const isName = (field: unknown) => field === 'username' || field === 'email';
const isRecord = (value: unknown) => typeof value === 'object' && value !== null;
