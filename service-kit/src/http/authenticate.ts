import type { Request } from 'express';
import type { Accounts } from '../accounts/accounts.ts';
import { Forbidden, Starting, Unauthenticated } from '../errors/http-errors.ts';
import type { AccessTokenVerifier } from '../tokens/access-token.ts';
import type { ServiceTokenVerifier } from '../tokens/service-token.ts';
import type { Who } from './define-route.ts';
import type { Service, User } from './principal.ts';

interface AuthenticatorOptions {
  accessTokens: AccessTokenVerifier;
  serviceTokens: ServiceTokenVerifier;
  accounts: Accounts;
}

type Principal = User | Service;

/** Returns a promise only if the token's key must be fetched first. */
export type Authenticator = (who: Who, request: Request) => Principal | undefined | Promise<Principal>;

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i;

/** The token of `Authorization: Bearer <token>`; undefined without the header, null for any other value. */
export function bearerTokenOf(header: string | undefined): string | null | undefined {
  return header === undefined ? undefined : (BEARER.exec(header)?.[1] ?? null);
}

/**
 * Identifies the caller and checks that the route admits such callers.
 * @throws Unauthenticated 401, Forbidden 403, Unavailable 503 while the keys of tokens are not available, Starting 503 for a
 * user while it is not known which tokens are revoked; on a route for `anyone` such a user counts as anonymous instead
 */
export function createAuthenticator({
  accessTokens,
  serviceTokens,
  accounts,
}: AuthenticatorOptions): Authenticator {
  const userOf = (token: string): User | undefined => {
    const user = accessTokens.verify(token);
    return user !== undefined && !accounts.isVoid(user) ? user : undefined;
  };
  const principalOf = (who: Who, token: string) =>
    who === 'service' ? serviceTokens.verify(token) : userOf(token);
  const admit = (who: Who, principal: Principal | undefined): Principal => {
    if (principal === undefined) throw new Unauthenticated('The token is invalid or has expired');
    if (principal.kind === 'user' && !accounts.isKnown()) throw new Starting();
    if (who === 'admin' && (principal as User).role !== 'admin') throw new Forbidden();
    return principal;
  };
  return (who, request) => {
    const token = bearerTokenOf(request.headers.authorization);
    if (who === 'anyone') return typeof token === 'string' && accounts.isKnown() ? userOf(token) : undefined;
    if (token === undefined)
      throw new Unauthenticated('Authorization header with a Bearer token is required');
    if (token === null) throw new Unauthenticated('The Authorization header must be: Bearer <token>');
    const principal = principalOf(who, token);
    const key = principal === undefined && who !== 'service' ? accessTokens.awaitKey(token) : undefined;
    return key === undefined ? admit(who, principal) : key.then(() => admit(who, principalOf(who, token)));
  };
}
