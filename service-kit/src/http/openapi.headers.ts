const text = (description: string, example: string, maxLength = 500) => ({
  description,
  schema: { type: 'string', maxLength },
  example,
});

/** Documented response headers. Any others are not part of the API. */
export const HEADERS = {
  'X-Request-Id': {
    description: "Identifies the request in logs: the request's own `X-Request-Id` if it had one.",
    schema: { type: 'string', maxLength: 128, pattern: '^[A-Za-z0-9._-]{1,128}$' },
    example: '5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a',
  },
  ETag: text(
    'Changes with the content; send it as `If-None-Match`, or as `If-Match` before a change.',
    '"q83vAQ"',
  ),
  Location: text('Path of the created resource.', '/api/orders/1'),
  RateLimit: text(
    'Requests left in the window (`r`) and seconds until it begins again (`t`).',
    '"order-create"; r=29; t=60',
  ),
  'RateLimit-Policy': text(
    'Requests (`q`) in a window of `w` seconds, counted for the client that `pk` stands for.',
    '"order-create"; q=30; w=60; pk=:MTdmOTQwYjRkNmQx:',
  ),
  'Retry-After': {
    description: 'Seconds to wait before the request is sent again.',
    schema: { type: 'integer', format: 'int32', minimum: 0, maximum: 86_400 },
    example: 1,
  },
  'Idempotent-Replayed': {
    description: 'Present when the response of an earlier request with this `Idempotency-Key` is repeated.',
    schema: { type: 'string', enum: ['true'] },
    example: 'true',
  },
  'Cache-Status': text('Whether a cache had the response (RFC 9211).', 'shop; hit'),
  'Content-Disposition': text('File name to save the body under.', 'attachment; filename="products.csv"'),
  'WWW-Authenticate': { description: 'How to sign in.', schema: { type: 'string', enum: ['Bearer'] } },
  Allow: text('Methods that this address takes.', 'GET, HEAD'),
} as const;

export type ResponseHeader = keyof typeof HEADERS;

/** References to these headers, and to those that every response has. */
export const headersOf = (names: readonly ResponseHeader[]) =>
  Object.fromEntries(
    ['X-Request-Id', ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
