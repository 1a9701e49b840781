import { bearerTokenOf } from '@shop/service-kit/http/authenticate';
import { fieldCode, instantOf, message, optional, text } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import { presentedPassword } from '../passwords/password.schemas.ts';
import { userAnswer } from '../users/user.answer.ts';
import { MAX_EMAIL } from '../users/user.identity.ts';
import { tokensAnswer } from './tokens.answer.ts';

const MAX_TOKEN = 4096;
const REFRESH_TOKEN = 'eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl';
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

export const refreshBody = z.strictObject({
  refresh_token: optional(text('Refresh token', { max: MAX_TOKEN })).meta({
    description: 'The refresh token; may be sent as the Bearer token instead.',
    example: REFRESH_TOKEN,
  }),
});
/** The refresh token may stand where the access token usually does; null for a header of another form. */
export const refreshHeaders = z.object({
  authorization: z.string().optional().transform(bearerTokenOf).meta({ hidden: true }),
});

export const sessionParams = z.strictObject({
  id: z
    .uuid({ error: 'Id must be a UUID' })
    .meta({ description: 'Id of the session.', example: '5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a' }),
});
export const loggedIn = z.object({
  message: message('Login successful'),
  user: userAnswer,
  tokens: tokensAnswer,
});
export const refreshed = z.object({ tokens: tokensAnswer });
const session = z
  .object({
    id: z.string().meta({
      description: 'Id of the session.',
      format: 'uuid',
      examples: ['5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a'],
    }),
    created_at: instantOf('When it began.'),
    last_used_at: instantOf('When tokens were last issued for it.'),
    user_agent: z
      .string()
      .nullable()
      .meta({
        description: 'The browser or app that used it last.',
        maxLength: 500,
        examples: ['Mozilla/5.0'],
      }),
    ip: z
      .string()
      .nullable()
      .meta({ description: 'The address that used it last.', maxLength: 45, examples: ['203.0.113.7'] }),
    current: z.boolean().meta({ description: 'Whether this request uses it.', examples: [true] }),
  })
  .meta({ id: 'Session', description: 'A sign-in of a user.' });
export const sessionsAnswer = z.object({
  sessions: z.array(session).meta({ description: 'Most recently used first.', maxItems: 50 }),
});

const isName = (field: unknown) => field === 'username' || field === 'email';
const isRecord = (value: unknown) => typeof value === 'object' && value !== null;
