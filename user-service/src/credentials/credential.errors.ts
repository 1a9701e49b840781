import { defineError } from '@shop/service-kit/errors/app-error';

export const InvalidCredentials = defineError(401, 'invalid_credentials', 'Invalid credentials', () => ({
  headers: { 'WWW-Authenticate': 'Bearer' },
}));
export const WrongPassword = defineError(403, 'wrong_password', 'The current password is wrong');
/** Worded like any other rate limit, so that it does not reveal whether the account exists. */
export const TooManyFailures = defineError(
  429,
  'rate_limited',
  'Too many requests, try again later',
  (retryAfter: number) => ({ headers: { 'Retry-After': String(retryAfter) } }),
  { sample: [60] },
);
