import { bearerTokenOf } from '@shop/service-kit/http/authenticate';
import { optional, text } from '@shop/service-kit/http/fields';
import { z } from 'zod';
import { tokensResponse } from '../tokens/tokens.response.ts';
import { sessionResponse } from './session.response.ts';

const MAX_TOKEN = 4096;
const REFRESH_TOKEN = 'eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl';

export const refreshBody = z.strictObject({
  refresh_token: optional(text('Refresh token', { max: MAX_TOKEN })).meta({
    description: 'The refresh token; may be sent as the Bearer token instead.',
    example: REFRESH_TOKEN,
  }),
});
/** The refresh token, sent instead of an access token; null for a header of another form. */
export const refreshHeaders = z.object({
  authorization: z.string().optional().transform(bearerTokenOf).meta({ hidden: true }),
});

export const sessionParams = z.strictObject({
  id: z
    .uuid({ error: 'Id must be a UUID' })
    .meta({ description: 'Id of the session.', example: '5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a' }),
});
export const refreshed = z.object({ tokens: tokensResponse });
export const sessionsResponse = z.object({
  sessions: z.array(sessionResponse).meta({ description: 'Most recently used first.', maxItems: 50 }),
});
