import jwt from 'jsonwebtoken';
import { headerOf, type TokenKeys } from './token-keys.ts';

interface TokenRules {
  issuer?: string;
  audience: string;
}

/** @returns gives the payload of a good token, undefined for anything else */
export function createTokenReader(keys: TokenKeys, rules: TokenRules): (token: string) => unknown {
  return (token) => {
    const found = keys.find(headerOf(token));
    if (found === undefined) return undefined;
    try {
      return jwt.verify(token, found.key, { algorithms: [found.algorithm], ...rules });
    } catch {
      return undefined;
    }
  };
}
