import { createHash, createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { fixedKeys, secretKey, type TokenKey, type TokenKeys } from '@shop/service-kit/tokens/token-keys';
import type { PublishedKey } from './jwks.schemas.ts';

export interface SigningKeys {
  /** Signs every new token. */
  signer: TokenKey;
  accessKeys: TokenKeys;
  refreshKeys: TokenKeys;
  /** For the ids of successive refresh tokens, which cannot be computed without it. */
  successorKey: Buffer;
  published: PublishedKey[];
}

interface SigningConfig {
  JWT_SECRET_KEY?: string | undefined;
  JWT_PRIVATE_KEY?: KeyObject | undefined;
  JWT_VERIFICATION_KEYS: KeyObject[];
}

/**
 * With a private key everything is signed with it (ES256), otherwise with the shared secret (HS256). A secret together
 * with a private key only refreshes earlier sessions: access tokens could be forged with it, refresh tokens could not,
 * because the database has a hash of their ids.
 */
export function signingKeysOf({
  JWT_SECRET_KEY: secret,
  JWT_PRIVATE_KEY: privateKey,
  JWT_VERIFICATION_KEYS: further,
}: SigningConfig): SigningKeys {
  const shared = secret === undefined ? [] : [secretKey(secret)];
  const own = privateKey === undefined ? [] : [createPublicKey(privateKey)];
  const named = [...own, ...further].map((key) => ({ key, kid: thumbprintOf(key) }));
  const distinct = [...new Map(named.map((entry) => [entry.kid, entry])).values()];
  const verifying: TokenKey[] = distinct.map((entry) => ({ ...entry, algorithm: 'ES256' }));
  const signer: TokenKey | undefined =
    privateKey === undefined ? shared[0] : { algorithm: 'ES256', key: privateKey, kid: verifying[0]?.kid };
  if (signer === undefined) throw new Error('There is no signing key');
  return {
    signer,
    accessKeys: fixedKeys(privateKey === undefined ? [...shared, ...verifying] : verifying),
    refreshKeys: fixedKeys([...shared, ...verifying]),
    successorKey: successorKeyOf(secret ?? privateKey),
    published: distinct.map(({ key, kid }) => ({ ...coordinatesOf(key), kid, alg: 'ES256', use: 'sig' })),
  };
}

/** From the secret if there is one: it stays the same while private keys are rotated. */
function successorKeyOf(key: string | KeyObject | undefined): Buffer {
  const bytes = typeof key === 'object' ? key.export({ format: 'der', type: 'pkcs8' }) : (key ?? '');
  return Buffer.from(hkdfSync('sha256', bytes, '', 'shop/refresh-token/successor', 32));
}

/** @throws Error for anything but an EC P-256 private key in PEM */
export function readPrivateKey(pem: string): KeyObject {
  return requireP256(createPrivateKey(withLineEnds(pem)));
}

/** @param pem any number of EC P-256 public keys, one after the other @throws Error for anything else */
export function readPublicKeys(pem: string): KeyObject[] {
  const blocks = withLineEnds(pem).split(/(?<=-----END PUBLIC KEY-----)/);
  return blocks
    .filter((block) => block.trim() !== '')
    .map((block) => {
      if (!block.includes('BEGIN PUBLIC KEY')) throw new Error('not a public key');
      return requireP256(createPublicKey(block));
    });
}

/** Env files have several lines on one. */
const withLineEnds = (pem: string) => pem.replaceAll('\\n', '\n');

function requireP256(key: KeyObject): KeyObject {
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('not a P-256 key');
  return key;
}

function coordinatesOf(publicKey: KeyObject) {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  return { kty: 'EC', crv: 'P-256', x, y } as const;
}

/** RFC 7638: the same key has the same name everywhere. */
function thumbprintOf(publicKey: KeyObject): string {
  const { crv, kty, x, y } = coordinatesOf(publicKey);
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}
