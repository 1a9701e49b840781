import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { INT32_MAX } from '../http/fields.ts';
import type { User } from '../http/principal.ts';
import { headerOf, type TokenKey, type TokenKeys } from './token-keys.ts';
import { createCachedTokenReader } from './token-reader.ts';

/** Every token of a deployment names its issuer and its audience; a token of another kind is refused. */
export const TOKEN_ISSUER = 'user-service';
export const TOKEN_AUDIENCE = 'shop';
/** Longest lifetime of an access token in seconds. Revocations older than this can be forgotten. */
export const MAX_ACCESS_TOKEN_LIFETIME = 3600;

const claimsSchema = z
  .object({
    sub: z
      .string()
      .regex(/^[1-9]\d{0,9}$/)
      .transform(Number)
      .refine((id) => id <= INT32_MAX),
    role: z.enum(['customer', 'admin']),
    sid: z.string().min(1),
    gen: z.int().default(0),
    typ: z.literal('access'),
    exp: z.number(),
  })
  .transform(({ sub, role, sid, gen, exp }) => ({
    user: { kind: 'user', id: sub, role, sessionId: sid, generation: gen } as VerifiedUser,
    exp,
  }));

export interface VerifiedUser extends User {
  /** The user's generation when the token was issued; 0 in tokens of the first release. */
  readonly generation: number;
}

export interface AccessTokenVerifier {
  /** The user of a valid access token; undefined for any other text. */
  verify(token: string): VerifiedUser | undefined;
  /**
   * For a token that `verify` refused: returns a promise if its key may have been published meanwhile. After it resolves,
   * call `verify` again. The promise rejects with Unavailable if the keys cannot be read.
   */
  awaitKey(token: string): Promise<void> | undefined;
}

/** @param now seconds since 1970, by the clock that dates the tokens */
export function createAccessTokenVerifier(
  keys: TokenKeys,
  now = () => Date.now() / 1000,
): AccessTokenVerifier {
  const rules = { issuer: TOKEN_ISSUER, audience: TOKEN_AUDIENCE };
  const read = createCachedTokenReader(keys, rules, claimsSchema, now);
  return {
    awaitKey: (token) => keys.awaitKey?.(headerOf(token)),
    verify: (token) => read(token)?.user,
  };
}

/**
 * @param user `generation` is the user's current one: raising it revokes the token
 * @param lifetime seconds, up to `MAX_ACCESS_TOKEN_LIFETIME`
 * @param issuedAt by the clock that also dates changes of accounts
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
