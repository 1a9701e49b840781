import { z } from 'zod';
import { shorten } from '../text/texts.ts';
import { defineError, FIELD_CODES, type FieldIssue, MAX_ISSUES } from './app-error.ts';

/** Characters of each text of a problem document, for any input. */
export const MAX_TEXT = 300;
/** Bytes of all messages of a validation error, for any input. */
const MAX_BYTES = 8000;

/** The first issues, as many as fit. The body contains each message twice, the first one four times. */
function listed(issues: FieldIssue[]): FieldIssue[] {
  let bytes = 0;
  return issues.slice(0, MAX_ISSUES).flatMap((issue) => {
    const shown = {
      ...issue,
      path: shorten(issue.path, MAX_TEXT),
      message: shorten(issue.message, MAX_TEXT),
    };
    bytes += Buffer.byteLength(JSON.stringify(shown));
    return bytes <= MAX_BYTES ? [shown] : [];
  });
}

/** `FieldIssue`, for the API document. */
const fieldIssue = z
  .object({
    path: z.string().meta({
      description: 'Name of the field, with a dot before each nested name; empty for the body itself.',
      maxLength: 300,
      examples: ['products.0.quantity'],
    }),
    code: z
      .enum(FIELD_CODES)
      .meta({ description: 'What is wrong with it; stable.', examples: ['too_small'] }),
    message: z.string().meta({
      description: 'The same, for people.',
      maxLength: 300,
      examples: ['Product 0: quantity must be a positive integer'],
    }),
    minimum: z
      .number()
      .optional()
      .meta({ description: 'Minimum value or length.', examples: [1] }),
    maximum: z.number().optional().meta({ description: 'Maximum value, length or number of decimals.' }),
  })
  .meta({ id: 'FieldIssue', description: 'One refused field of a request.' });

export const ValidationFailed = defineError(
  400,
  'validation_failed',
  (issues: FieldIssue[]) => listed(issues)[0]?.message ?? 'The request is not valid',
  (issues) => {
    const details = listed(issues);
    return { members: { errors: details.map((issue) => issue.message), details } };
  },
  {
    sample: [[{ path: 'name', code: 'required', message: 'Name is required' }]],
    members: z.object({
      errors: z
        .array(z.string().meta({ maxLength: MAX_TEXT }))
        .meta({ description: 'The messages of the refused fields.', maxItems: MAX_ISSUES }),
      details: z
        .array(fieldIssue)
        .meta({ description: 'The refused fields, in the same order.', maxItems: MAX_ISSUES }),
    }),
  },
);
export const MalformedRequest = defineError(400, 'malformed_request', (detail: string) => detail, undefined, {
  sample: ['The body is not valid JSON'],
});
export const Unauthenticated = defineError(
  401,
  'unauthenticated',
  (detail: string) => detail,
  () => ({ headers: { 'WWW-Authenticate': 'Bearer' } }),
  { sample: ['The token is invalid or has expired'] },
);
export const Forbidden = defineError(403, 'forbidden', 'You are not allowed to do this');
export const RouteNotFound = defineError(404, 'not_found', 'There is nothing at this address');
export const MethodNotAllowed = defineError(
  405,
  'method_not_allowed',
  (allow: string[]) => `This address allows only ${allow.join(', ')}`,
  (allow) => ({ headers: { Allow: allow.join(', ') } }),
  { sample: [['GET', 'HEAD']] },
);
export const RequestTimedOut = defineError(408, 'request_timeout', 'The request took too long to arrive');
export const BodyTooLarge = defineError(
  413,
  'body_too_large',
  (limit: string) => `The body is larger than ${limit}`,
  undefined,
  { sample: ['100 kB'] },
);
/** For UnsupportedMediaType: what a JSON body may be. */
export const JSON_BODY = 'application/json in UTF-8, plain or compressed with gzip, deflate or br';
export const UnsupportedMediaType = defineError(
  415,
  'unsupported_media_type',
  (expected: string) => `The body must be ${expected}`,
  undefined,
  { sample: ['application/json'] },
);
export const HeadersTooLarge = defineError(431, 'headers_too_large', 'The headers are too large');
export const RateLimited = defineError(429, 'rate_limited', 'Too many requests, try again later');
const afterASecond = () => ({ headers: { 'Retry-After': '1' } });
export const Starting = defineError(
  503,
  'starting',
  'The service is starting and cannot check tokens yet',
  afterASecond,
);
/** Nothing was changed, or the outcome is unknown. The same request may be repeated after `retryAfter` seconds. */
export const Unavailable = defineError(
  503,
  'unavailable',
  (detail: string, _retryAfter: number) => detail,
  (_detail, retryAfter) => ({ headers: { 'Retry-After': String(retryAfter) } }),
  { sample: ['The service cannot reach its database', 1] },
);
/** The queue is full; this request was not started. */
export const Busy = defineError(
  503,
  'busy',
  'Too many requests are waiting right now, try again',
  afterASecond,
);
/** Too little of the request's time was left for the next step, which was not started. */
export const OutOfTime = defineError(503, 'unavailable', 'The request took too long', afterASecond);
