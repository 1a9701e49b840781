import { defineError } from '@shop/service-kit/errors/app-error';
import { ValidationFailed } from '@shop/service-kit/errors/http-errors';

const challenge = () => ({ headers: { 'WWW-Authenticate': 'Bearer' } });

export const InvalidRefreshToken = defineError(
  401,
  'invalid_token',
  'The refresh token is invalid or has expired',
  challenge,
);
export const TokenReused = defineError(
  401,
  'token_reused',
  'This refresh token was used before; its session is revoked, sign in again',
  challenge,
);
export const SessionEnded = defineError(401, 'unauthenticated', 'The session has ended', challenge);
export const EmailNotVerified = defineError(
  403,
  'email_not_verified',
  'Confirm your email address first; an email with a link is on its way',
);
export const SessionNotFound = defineError(404, 'session_not_found', 'Session not found');

export const refreshTokenRequired = () =>
  new ValidationFailed([{ path: 'refresh_token', code: 'required', message: 'Refresh token is required' }]);

/** The expected failures of each operation: what its use-case may throw. */
export const errorsOf = {
  refreshTokens: [InvalidRefreshToken, TokenReused, EmailNotVerified],
  revokeMySession: [SessionNotFound],
};
