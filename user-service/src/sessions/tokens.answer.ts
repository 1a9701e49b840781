import { z } from 'zod';

export const tokensAnswer = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal('Bearer'),
  /** Seconds that the access token is good for. */
  expires_in: z.int(),
});
export type Tokens = z.input<typeof tokensAnswer>;
