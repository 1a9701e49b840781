import { z } from 'zod';

const publishedKey = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  kid: z.string(),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
});
export type PublishedKey = z.input<typeof publishedKey>;

/** RFC 7517, section 5. */
export const jwksAnswer = z.object({ keys: z.array(publishedKey) });
