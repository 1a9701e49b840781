import { createSecretKey, type KeyObject } from 'node:crypto';
import { parseJson } from '../text/texts.ts';

/** A key and its one algorithm: the algorithm that a token names only selects among the keys. */
export interface TokenKey {
  readonly algorithm: 'HS256' | 'ES256';
  readonly key: KeyObject;
  /** The name by which tokens refer to it; a shared secret has none. */
  readonly kid: string | undefined;
}

/** The first part of a token, not verified. */
export interface TokenHeader {
  readonly alg?: unknown;
  readonly kid?: unknown;
}

/** The accepted keys. */
export interface TokenKeys {
  find(header: TokenHeader): TokenKey | undefined;
  /**
   * For keys of another service: returns a promise if an unknown key may have been published meanwhile. Look again after it
   * resolves. It rejects with Unavailable if the keys cannot be read.
   */
  awaitKey?(header: TokenHeader): Promise<void> | undefined;
}

/** @param secret `JWT_SECRET_KEY` or `SERVICE_TOKEN_SECRET`: signs and verifies (HS256) */
export function secretKey(secret: string): TokenKey {
  // Given a string, jsonwebtoken tries to parse it as a public key at every call: a tenth of an order's processor time.
  return { algorithm: 'HS256', key: createSecretKey(Buffer.from(secret)), kid: undefined };
}

export function fixedKeys(keys: readonly TokenKey[]): TokenKeys {
  return { find: ({ alg, kid }) => keys.find((key) => key.algorithm === alg && key.kid === kid) };
}

/** Empty for a text that is not a token. */
export function headerOf(token: string): TokenHeader {
  const text = Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString();
  const { alg, kid } = (parseJson(text) ?? {}) as TokenHeader;
  return { alg, kid };
}
