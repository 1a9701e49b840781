import { bearerTokenOf } from '@shop/service-kit/http/authenticate';
import { fieldCode, instant, optional, text } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import { presentedPassword } from '../passwords/password.schemas.ts';
import { userAnswer } from '../users/user.answer.ts';
import { MAX_EMAIL } from '../users/user.identity.ts';
import { tokensAnswer } from './tokens.answer.ts';

const MAX_TOKEN = 4096;
const NAME_REQUIRED = 'Username or email is required';

const loginName = text('Username or email', { max: MAX_EMAIL }).optional();

export const loginBody = z
  .strictObject({ username: loginName, email: loginName, password: presentedPassword('Password') })
  .refine((body) => body.username !== undefined || body.email !== undefined, {
    error: NAME_REQUIRED,
    ...fieldCode('required'),
    // Also when the password is missing: all that is wrong is told at once.
    when: ({ issues, value }) => isRecord(value) && !issues.some((issue) => issue.message === NAME_REQUIRED),
  })
  .transform(({ username, email, password }) => ({ identifier: username ?? email ?? '', password }));

export const refreshBody = z.strictObject({
  refresh_token: optional(text('Refresh token', { max: MAX_TOKEN })),
});
/** The refresh token may stand where the access token usually does; null for a header of another form. */
export const refreshHeaders = z.object({
  authorization: z.string().optional().transform(bearerTokenOf),
});

export const sessionParams = z.strictObject({ id: z.uuid({ error: 'Id must be a UUID' }) });
export const loggedIn = z.object({ message: z.string(), user: userAnswer, tokens: tokensAnswer });
export const refreshed = z.object({ tokens: tokensAnswer });
export const sessionsAnswer = z.object({
  sessions: z.array(
    z.object({
      id: z.string(),
      created_at: instant,
      last_used_at: instant,
      user_agent: z.string().nullable(),
      ip: z.string().nullable(),
      current: z.boolean(),
    }),
  ),
});

const isRecord = (value: unknown) => typeof value === 'object' && value !== null;
