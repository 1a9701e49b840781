import { createSecretKey, type KeyObject } from 'node:crypto';

/** A key and the one algorithm it is for: what a token says of its algorithm only chooses among keys. */
export interface TokenKey {
  readonly algorithm: 'HS256' | 'ES256';
  readonly key: KeyObject;
  /** What tokens call it by; a shared secret has no name. */
  readonly kid: string | undefined;
}

/** What the first part of a token says, not to be believed. */
export interface TokenHeader {
  readonly alg?: unknown;
  readonly kid?: unknown;
}

/** The keys that a reader of tokens accepts. */
export interface TokenKeys {
  find(header: TokenHeader): TokenKey | undefined;
  /**
   * Where keys come from another service: a promise when the key that is not found may have been published meanwhile,
   * kept when it is worth a second look. @throws Unavailable through the promise, when the keys cannot be read
   */
  awaitKey?(header: TokenHeader): Promise<void> | undefined;
}

/** @param secret `JWT_SECRET_KEY` or `SERVICE_TOKEN_SECRET`: signs and verifies (HS256) */
export function secretKey(secret: string): TokenKey {
  // Given a text, jsonwebtoken tries it as a public key at every call: that took a tenth of an order's processor time.
  return { algorithm: 'HS256', key: createSecretKey(Buffer.from(secret)), kid: undefined };
}

export function fixedKeys(keys: readonly TokenKey[]): TokenKeys {
  return { find: ({ alg, kid }) => keys.find((key) => key.algorithm === alg && key.kid === kid) };
}

/** Nothing for a text that is no token. */
export function headerOf(token: string): TokenHeader {
  try {
    const text = Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString();
    const { alg, kid } = JSON.parse(text) as TokenHeader;
    return { alg, kid };
  } catch {
    return {};
  }
}
