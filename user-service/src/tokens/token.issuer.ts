import { createHash, createHmac, randomUUID } from 'node:crypto';
import type { User } from '@shop/service-kit/http/principal';
import { signAccessToken, TOKEN_AUDIENCE, TOKEN_ISSUER } from '@shop/service-kit/tokens/access-token';
import { createTokenReader } from '@shop/service-kit/tokens/token-reader';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import type { SigningKeys } from './signing.keys.ts';
import type { Tokens } from './tokens.response.ts';

interface TokenIssuerOptions {
  keys: SigningKeys;
  /** Seconds. */
  accessLifetime: number;
  /** Seconds. */
  refreshLifetime: number;
}

export interface RefreshToken {
  token: string;
  /** SHA-256 of its `jti`. Only this is stored, so that a reader of the database cannot refresh. */
  hash: string;
}

/** A valid refresh token, as a client presents it. */
export interface PresentedToken {
  sessionId: string;
  /** Of the password at the beginning of its line of tokens; undefined in tokens of older releases. */
  passwordVersion: number | undefined;
  jti: string;
  hash: string;
}

/** The user of a session's tokens, as stored at `issuedAt` by the database's clock. */
export interface Holder {
  sessionId: string;
  /** Of the user: what the access tokens carry. */
  generation: number;
  userId: number;
  role: User['role'];
  issuedAt: Date;
}

const refreshClaims = z.object({
  sid: z.uuid(),
  pwv: z.int().optional(),
  jti: z.string(),
  typ: z.literal('refresh'),
  exp: z.number(),
});

export function createTokenIssuer({ keys, accessLifetime, refreshLifetime }: TokenIssuerOptions) {
  const { signer, refreshKeys, successorKey } = keys;
  const read = createTokenReader(refreshKeys, { issuer: TOKEN_ISSUER, audience: TOKEN_AUDIENCE });
  const refreshToken = (
    sessionId: string,
    passwordVersion: number | undefined,
    jti: string,
  ): RefreshToken => {
    const { key, algorithm, kid } = signer;
    const token = jwt.sign({ sid: sessionId, pwv: passwordVersion, typ: 'refresh' }, key, {
      algorithm,
      ...(kid === undefined ? {} : { keyid: kid }),
      jwtid: jti,
      issuer: TOKEN_ISSUER,
      audience: TOKEN_AUDIENCE,
      expiresIn: refreshLifetime,
    });
    return { token, hash: digestOf(jti) };
  };

  return {
    refreshLifetime,

    /** Begins a line of refresh tokens, with a random id. */
    newRefreshToken: (sessionId: string, passwordVersion: number) =>
      refreshToken(sessionId, passwordVersion, randomUUID()),

    /**
     * The next token of its line. It is the same at every call for one token, so that callers who refresh at the same
     * time get the same one. Only the server can compute its `jti`.
     */
    successorOf: ({ sessionId, passwordVersion, jti }: PresentedToken) =>
      refreshToken(
        sessionId,
        passwordVersion,
        createHmac('sha256', successorKey).update(jti).digest('base64url'),
      ),

    /** Undefined for anything but a refresh token of this deployment that has not expired. */
    readRefreshToken(token: string): PresentedToken | undefined {
      const claims = refreshClaims.safeParse(read(token));
      if (!claims.success) return undefined;
      const { sid: sessionId, pwv: passwordVersion, jti } = claims.data;
      return { sessionId, passwordVersion, jti, hash: digestOf(jti) };
    },

    pairOf(holder: Holder, { token }: RefreshToken): Tokens {
      const { sessionId, generation, userId: id, role, issuedAt } = holder;
      const user = { id, role, sessionId, generation };
      return {
        access_token: signAccessToken(user, signer, accessLifetime, issuedAt),
        refresh_token: token,
        token_type: 'Bearer',
        expires_in: accessLifetime,
      };
    },
  };
}

export type TokenIssuer = ReturnType<typeof createTokenIssuer>;

const digestOf = (text: string) => createHash('sha256').update(text).digest('base64url');
