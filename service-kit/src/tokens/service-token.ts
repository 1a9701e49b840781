import jwt from 'jsonwebtoken';
import { z } from 'zod';
import type { Service } from '../http/principal.ts';
import { fixedKeys, secretKey } from './token-keys.ts';
import { createCachedTokenReader } from './token-reader.ts';

/** Lifetime of a service token in seconds; a new one is made after half of it. */
const LIFETIME = 60;
/** Seconds by which the clocks of two machines may differ. */
const CLOCK_TOLERANCE = 60;

const claimsSchema = z
  .object({ iss: z.string().min(1), typ: z.literal('service'), exp: z.number() })
  .transform(({ iss, exp }) => ({ service: { kind: 'service', name: iss } as Service, exp }));

export interface ServiceTokenVerifier {
  /** The calling service of a valid token for this service; undefined for any other text. */
  verify(token: string): Service | undefined;
}

/**
 * @param secret `SERVICE_TOKEN_SECRET`, known to services only
 * @param audience the name of the service that is called
 */
export function createServiceTokenVerifier(secret: string, audience: string): ServiceTokenVerifier {
  const rules = { audience, clockTolerance: CLOCK_TOLERANCE };
  const read = createCachedTokenReader(fixedKeys([secretKey(secret)]), rules, claimsSchema);
  return { verify: (token) => read(token)?.service };
}

/**
 * @param clock milliseconds since 1970
 * @returns a function that returns a token for calls from `issuer` to `audience`, reused for half of its lifetime
 */
export function createServiceTokenSigner(
  secret: string,
  issuer: string,
  audience: string,
  clock = () => Date.now(),
): () => string {
  const { key, algorithm } = secretKey(secret);
  let token = '';
  let renewAt = 0;
  return () => {
    const now = clock();
    if (now >= renewAt) {
      token = jwt.sign({ typ: 'service', iat: Math.floor(now / 1000) }, key, {
        algorithm,
        issuer,
        audience,
        expiresIn: LIFETIME,
      });
      renewAt = now + (LIFETIME / 2) * 1000;
    }
    return token;
  };
}
