import jwt from 'jsonwebtoken';
import { z } from 'zod';
import type { User } from '../http/request-context.ts';
import { headerOf, type TokenKey, type TokenKeys } from './token-keys.ts';
import { createTokenReader } from './token-reader.ts';

/** Every token of a deployment names its maker and for whom it is; a token of another kind is none. */
export const TOKEN_ISSUER = 'user-service';
export const TOKEN_AUDIENCE = 'shop';

const claimsSchema = z.object({
  sub: z
    .string()
    .regex(/^[1-9]\d{0,9}$/)
    .transform(Number),
  role: z.enum(['customer', 'admin']),
  sid: z.string().min(1),
  typ: z.literal('access'),
  iat: z.number(),
  exp: z.number(),
});

export interface VerifiedUser extends User {
  /** Seconds since 1970, with fractions: what a revocation is compared with. */
  readonly issuedAt: number;
}

export interface AccessTokenVerifier {
  /** The user of a good access token; undefined for anything else, whatever is wrong with it. */
  verify(token: string): VerifiedUser | undefined;
  /**
   * For a token that `verify` did not take: a promise when its key may have been published meanwhile. Once it is kept,
   * `verify` can tell. @throws Unavailable through the promise, when the keys cannot be read
   */
  awaitKey(token: string): Promise<void> | undefined;
}

export function createAccessTokenVerifier(keys: TokenKeys): AccessTokenVerifier {
  const read = createTokenReader(keys, { issuer: TOKEN_ISSUER, audience: TOKEN_AUDIENCE });
  return {
    awaitKey: (token) => keys.awaitKey?.(headerOf(token)),
    verify(token) {
      const claims = claimsSchema.safeParse(read(token));
      if (!claims.success) return undefined;
      const { sub, role, sid, iat } = claims.data;
      return { kind: 'user', id: sub, role, sessionId: sid, issuedAt: iat };
    },
  };
}

/**
 * Signs an access token. `iat` has fractions of a second, so that a token made right after a revocation is good.
 * @param lifetime seconds
 * @param issuedAt by the clock that revocations of these tokens are timed with
 */
export function signAccessToken(
  user: Omit<User, 'kind'>,
  { key, algorithm, kid }: TokenKey,
  lifetime: number,
  issuedAt = new Date(),
): string {
  const claims = { role: user.role, sid: user.sessionId, typ: 'access', iat: issuedAt.getTime() / 1000 };
  return jwt.sign(claims, key, {
    algorithm,
    ...(kid === undefined ? {} : { keyid: kid }),
    subject: String(user.id),
    issuer: TOKEN_ISSUER,
    audience: TOKEN_AUDIENCE,
    expiresIn: lifetime,
  });
}
