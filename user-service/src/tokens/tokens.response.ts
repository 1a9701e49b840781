import { textOf } from '@shop/service-kit/http/fields';
import { z } from 'zod';

export const tokensResponse = z
  .object({
    access_token: textOf(
      'A JWT for `Authorization: Bearer`, in all services.',
      4096,
      'eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
    ),
    refresh_token: textOf(
      'For one call of `refreshTokens`, within 30 days by default.',
      4096,
      'eyJhbGciOiJIUzI1NiIsInR5cCI6InJ0K2p3dCJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
    ),
    token_type: z.literal('Bearer'),
    expires_in: z
      .int()
      .meta({ description: 'Seconds until the access token expires.', minimum: 1, examples: [3600] }),
  })
  .meta({ id: 'Tokens', description: 'The tokens of a session.' });
export type Tokens = z.input<typeof tokensResponse>;
