import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import type { z } from 'zod';
import { headerOf, type TokenHeader, type TokenKey, type TokenKeys } from './token-keys.ts';

/** Verified tokens that are cached, about 1 kB each; the least recently used are evicted first. */
const MAX_VERIFIED = 5000;

interface TokenRules {
  issuer?: string;
  audience: string;
  /** Seconds by which the clocks of signer and verifier may differ. */
  clockTolerance?: number;
}

/**
 * @param now seconds since 1970
 * @returns a function that returns the payload of a valid token, and undefined for any other text
 */
export function createTokenReader(
  keys: TokenKeys,
  rules: TokenRules,
  now = () => Date.now() / 1000,
): (token: string) => unknown {
  return (token) => {
    const found = keys.find(headerOf(token));
    if (found === undefined) return undefined;
    try {
      return jwt.verify(token, found.key, {
        algorithms: [found.algorithm],
        clockTimestamp: Math.floor(now()),
        ...rules,
      });
    } catch {
      return undefined;
    }
  };
}

interface Verified<Claims> {
  readonly claims: Claims;
  readonly header: TokenHeader;
  readonly key: TokenKey | undefined;
}

/**
 * The same for tokens that are sent with many requests: checks the signature of each token once, because doing so for each
 * request took more time than the rest of a cached read. A verified token is accepted until it expires, as long as its key
 * is accepted. Invalid tokens are not cached.
 * @param claims of a payload that is valid
 */
export function createCachedTokenReader<Claims extends { exp: number }>(
  keys: TokenKeys,
  rules: TokenRules,
  claims: z.ZodType<Claims>,
  now = () => Date.now() / 1000,
): (token: string) => Claims | undefined {
  const read = createTokenReader(keys, rules, now);
  const { clockTolerance = 0 } = rules;
  const verified = new LRUCache<string, Verified<Claims>>({ max: MAX_VERIFIED });
  const isGood = ({ claims: { exp }, header, key }: Verified<Claims>) =>
    Math.floor(now()) < exp + clockTolerance && keys.find(header) === key;

  return (token) => {
    const known = verified.get(token);
    if (known !== undefined && isGood(known)) return known.claims;
    const parsed = claims.safeParse(read(token));
    if (!parsed.success) return undefined;
    const header = headerOf(token);
    verified.set(token, { claims: parsed.data, header, key: keys.find(header) });
    return parsed.data;
  };
}
