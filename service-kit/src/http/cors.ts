import cors from 'cors';
import type { RequestHandler } from 'express';

/** Headers and methods allowed across origins (docs/http-api.md). The gateway has the same lists. */
const CORS = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowedHeaders: [
    'Authorization',
    'Content-Type',
    'Idempotency-Key',
    'If-Match',
    'If-None-Match',
    'X-Request-Id',
  ],
  exposedHeaders: [
    'ETag',
    'X-Request-Id',
    'RateLimit',
    'RateLimit-Policy',
    'Retry-After',
    'Idempotent-Replayed',
    'Location',
    'Cache-Status',
    'Content-Disposition',
  ],
  /** Seconds that a browser may keep the response to a preflight. */
  maxAge: 600,
};

const listOf = (origins: string) => origins.split(',').map((origin) => origin.trim());

/** @param origins comma-separated; `*` is every origin, then without credentials */
export function corsHeaders(origins: string): RequestHandler {
  const listed = listOf(origins);
  const everyone = listed.includes('*');
  const byOrigin = cors({ ...CORS, origin: everyone ? '*' : listed, credentials: !everyone });
  if (!everyone) return byOrigin;
  // The same for each request except a preflight.
  const fixed = Object.entries(corsHeadersWithoutOrigin(origins));
  return (request, response, next) => {
    if (request.method === 'OPTIONS') return byOrigin(request, response, next);
    for (const [name, value] of fixed) response.setHeader(name, value);
    next();
  };
}

/** CORS headers for a response to a request whose headers, and so its origin, could not be parsed. */
export function corsHeadersWithoutOrigin(origins: string): Record<string, string> {
  if (!listOf(origins).includes('*')) return {};
  return {
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Expose-Headers': CORS.exposedHeaders.join(','),
  };
}
