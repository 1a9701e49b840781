import { createHash, randomUUID } from 'node:crypto';
import type { User } from '@shop/service-kit/http/request-context';
import { signAccessToken, TOKEN_AUDIENCE, TOKEN_ISSUER } from '@shop/service-kit/tokens/access-token';
import { createTokenReader } from '@shop/service-kit/tokens/token-reader';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import type { Tokens } from './tokens.answer.ts';

interface TokenIssuerOptions {
  secret: string;
  /** Seconds. */
  accessLifetime: number;
  /** Seconds. */
  refreshLifetime: number;
}

export interface RefreshToken {
  token: string;
  /** What the database keeps of it: who reads the database cannot refresh. */
  hash: string;
}

/** Whom a session's tokens speak for, as its row said at `issuedAt` by the database's clock. */
export interface Holder {
  sessionId: string;
  userId: number;
  role: User['role'];
  issuedAt: Date;
}

const refreshClaims = z.object({
  sid: z.uuid(),
  jti: z.string(),
  typ: z.literal('refresh'),
  exp: z.number(),
});

export function createTokenIssuer({ secret, accessLifetime, refreshLifetime }: TokenIssuerOptions) {
  const read = createTokenReader(secret, { issuer: TOKEN_ISSUER, audience: TOKEN_AUDIENCE });
  return {
    refreshLifetime,

    newRefreshToken(sessionId: string): RefreshToken {
      const token = jwt.sign({ sid: sessionId, typ: 'refresh' }, secret, {
        algorithm: 'HS256',
        jwtid: randomUUID(),
        issuer: TOKEN_ISSUER,
        audience: TOKEN_AUDIENCE,
        expiresIn: refreshLifetime,
      });
      return { token, hash: hashOf(token) };
    },

    /** Undefined for anything but a refresh token of ours that has not expired. */
    readRefreshToken(token: string): { sessionId: string; hash: string } | undefined {
      const claims = refreshClaims.safeParse(read(token));
      return claims.success ? { sessionId: claims.data.sid, hash: hashOf(token) } : undefined;
    },

    pairOf({ sessionId, userId, role, issuedAt }: Holder, { token }: RefreshToken): Tokens {
      return {
        access_token: signAccessToken({ id: userId, role, sessionId }, secret, accessLifetime, issuedAt),
        refresh_token: token,
        token_type: 'Bearer',
        expires_in: accessLifetime,
      };
    },
  };
}

export type TokenIssuer = ReturnType<typeof createTokenIssuer>;

const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url');
