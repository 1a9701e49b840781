import { textOf } from '@shop/service-kit/http/fields';
import { z } from 'zod';

const coordinate = (axis: string) =>
  z.string().meta({
    description: `The ${axis} coordinate, base64url.`,
    maxLength: 43,
    examples: ['f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU'],
  });
const publishedKey = z
  .object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: coordinate('x'),
    y: coordinate('y'),
    kid: textOf('Names the key in tokens.', 100, '2026-11'),
    alg: z.literal('ES256'),
    use: z.literal('sig'),
  })
  .meta({ id: 'PublicKey', description: 'A public key (RFC 7517).' });
export type PublishedKey = z.input<typeof publishedKey>;

/** RFC 7517, section 5. */
export const jwksResponse = z.object({
  keys: z
    .array(publishedKey)
    .meta({ description: 'The keys, including old ones while their tokens are valid.', maxItems: 10 }),
});
