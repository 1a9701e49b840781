import jwt from 'jsonwebtoken';
import { headerOf, type TokenKeys } from './token-keys.ts';

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
