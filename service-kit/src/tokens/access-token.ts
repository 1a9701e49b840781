import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { User } from '../http/request-context.ts';
import { headerOf, type TokenHeader, type TokenKey, type TokenKeys } from './token-keys.ts';
import { createTokenReader } from './token-reader.ts';

/** Every token of a deployment names its issuer and its audience; a token of another kind is refused. */
export const TOKEN_ISSUER = 'user-service';
export const TOKEN_AUDIENCE = 'shop';
/** No access token is valid for longer, in seconds: what made older ones void can be forgotten. */
export const MAX_ACCESS_TOKEN_LIFETIME = 3600;
const MAX_INT32 = 2_147_483_647;

const claimsSchema = z.object({
  sub: z
    .string()
    .regex(/^[1-9]\d{0,9}$/)
    .transform(Number)
    .refine((id) => id <= MAX_INT32),
  role: z.enum(['customer', 'admin']),
  sid: z.string().min(1),
  gen: z.int().default(0),
  typ: z.literal('access'),
  exp: z.number(),
});

export interface VerifiedUser extends User {
  /** Of the user, when the token was issued; 0 in tokens of the first release. */
  readonly generation: number;
}

export interface AccessTokenVerifier {
  /** The user of a valid access token; undefined for anything else, whatever is wrong with it. */
  verify(token: string): VerifiedUser | undefined;
  /**
   * For a token that `verify` did not take: a promise when its key may have been published meanwhile. Once it is kept,
   * `verify` can tell. @throws Unavailable through the promise, when the keys cannot be read
   */
  awaitKey(token: string): Promise<void> | undefined;
}

/** Verified tokens that are kept, of about 1 kB each. The least recently used go first. */
const MAX_VERIFIED = 5000;

interface Verified {
  readonly user: VerifiedUser;
  readonly header: TokenHeader;
  readonly key: TokenKey | undefined;
  /** Seconds since 1970. */
  readonly expiresAt: number;
}

/**
 * Checks the signature of a token once: that took more time than all else a cached read does. A token that was verified
 * is good until it expires, as long as its key is accepted. Bad tokens are not kept.
 * @param now seconds since 1970, by the clock that tokens are made with
 */
export function createAccessTokenVerifier(
  keys: TokenKeys,
  now = () => Date.now() / 1000,
): AccessTokenVerifier {
  const read = createTokenReader(keys, { issuer: TOKEN_ISSUER, audience: TOKEN_AUDIENCE }, now);
  const verified = new LRUCache<string, Verified>({ max: MAX_VERIFIED });
  const isGood = ({ header, key, expiresAt }: Verified) =>
    Math.floor(now()) < expiresAt && keys.find(header) === key;

  return {
    awaitKey: (token) => keys.awaitKey?.(headerOf(token)),
    verify(token) {
      const known = verified.get(token);
      if (known !== undefined && isGood(known)) return known.user;
      const claims = claimsSchema.safeParse(read(token));
      if (!claims.success) return undefined;
      const { sub, role, sid, gen, exp } = claims.data;
      const user = { kind: 'user', id: sub, role, sessionId: sid, generation: gen } as const;
      const header = headerOf(token);
      verified.set(token, { user, header, key: keys.find(header), expiresAt: exp });
      return user;
    },
  };
}

/**
 * @param user the generation is that of the user: a higher one makes the token void
 * @param lifetime seconds, up to `MAX_ACCESS_TOKEN_LIFETIME`
 * @param issuedAt by the clock that changes of accounts are timed with
 */
export function signAccessToken(
  user: Omit<User, 'kind'> & { generation?: number },
  { key, algorithm, kid }: TokenKey,
  lifetime: number,
  issuedAt = new Date(),
): string {
  const { id, role, sessionId: sid, generation: gen = 0 } = user;
  const claims = { role, sid, gen, typ: 'access', iat: Math.floor(issuedAt.getTime() / 1000) };
  return jwt.sign(claims, key, {
    algorithm,
    ...(kid === undefined ? {} : { keyid: kid }),
    subject: String(id),
    issuer: TOKEN_ISSUER,
    audience: TOKEN_AUDIENCE,
    expiresIn: lifetime,
  });
}
