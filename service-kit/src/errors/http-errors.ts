import { defineError, type FieldIssue } from './app-error.ts';

/** At most this many refused fields are listed (the HTTP contract, "Errors"). */
const MAX_ISSUES = 20;

export const ValidationFailed = defineError(
  400,
  'validation_failed',
  (issues: FieldIssue[]) => issues[0]?.message ?? 'The request is not valid',
  (issues) => {
    const details = issues.slice(0, MAX_ISSUES);
    return { members: { errors: details.map((issue) => issue.message), details } };
  },
);
export const MalformedRequest = defineError(400, 'malformed_request', (detail: string) => detail);
export const Unauthenticated = defineError(
  401,
  'unauthenticated',
  (detail: string) => detail,
  () => ({ headers: { 'WWW-Authenticate': 'Bearer' } }),
);
export const Forbidden = defineError(403, 'forbidden', 'You are not allowed to do this');
export const RouteNotFound = defineError(404, 'not_found', 'There is nothing at this address');
export const MethodNotAllowed = defineError(
  405,
  'method_not_allowed',
  (allow: string[]) => `This address answers ${allow.join(', ')} only`,
  (allow) => ({ headers: { Allow: allow.join(', ') } }),
);
export const RequestTimedOut = defineError(408, 'request_timeout', 'The request took too long to arrive');
export const BodyTooLarge = defineError(
  413,
  'body_too_large',
  (limit: string) => `The body is larger than ${limit}`,
);
export const UnsupportedMediaType = defineError(
  415,
  'unsupported_media_type',
  (expected: string) => `The body must be ${expected}`,
);
export const HeadersTooLarge = defineError(431, 'headers_too_large', 'The headers are too large');
export const RateLimited = defineError(429, 'rate_limited', 'Too many requests, try again later');
/** Nothing was changed, or it is not known; the same request may be sent again after `retryAfter` seconds. */
export const Unavailable = defineError(
  503,
  'unavailable',
  (detail: string, _retryAfter: number) => detail,
  (_detail, retryAfter) => ({ headers: { 'Retry-After': String(retryAfter) } }),
);
