import { createHmac, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BAD_ACCESS_TOKENS, signTestToken } from '@shop/service-kit/testing/bad-tokens';
import { TEST_JWT_SECRET } from '@shop/service-kit/testing/test-tokens';
import jwt from 'jsonwebtoken';
import request from 'supertest';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { me, refresh, register } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const createPair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKey,
    publicKey,
    privatePem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicPem: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  };
};
type Pair = ReturnType<typeof createPair>;
const [old, next] = [createPair(), createPair()];

/** A replica that signs with this key, without a secret unless one is given. */
const signingWith = (pair: Pair, env: Record<string, string> = {}) =>
  shop.startReplica({ env: { JWT_SECRET_KEY: '', JWT_PRIVATE_KEY: pair.privatePem, ...env } });
const jwksOf = ({ app }: Replica) => request(app).get('/.well-known/jwks.json');
const headerOf = (token: string) => jwt.decode(token, { complete: true })?.header;
const bearerOf = (tokens: { access_token: string }) => `Bearer ${tokens.access_token}`;

describe('GET /.well-known/jwks.json', () => {
  test('shows the public key, named by its thumbprint, and nothing private', async () => {
    const response = await jwksOf(await signingWith(old)).expect(200);
    const { x, y } = old.publicKey.export({ format: 'jwk' });
    const kid = expect.stringMatching(/^[\w-]{43}$/);
    expect(response.body).toEqual({
      keys: [{ kty: 'EC', crv: 'P-256', x, y, kid, alg: 'ES256', use: 'sig' }],
    });
    expect(response.headers['cache-control']).toBe('public, max-age=300');
    expect(response.headers['content-type']).toMatch(/^application\/json/);
  });

  test('names a key as RFC 7638 does', async () => {
    // Of RFC 7515, A.3, with the thumbprint that other libraries compute for it.
    const key = {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
    };
    const pem = createPrivateKey({ key, format: 'jwk' }).export({ format: 'pem', type: 'pkcs8' }).toString();
    const replica = await shop.startReplica({ env: { JWT_PRIVATE_KEY: pem } });
    const { body } = await jwksOf(replica).expect(200);
    expect(body.keys[0].kid).toBe('oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U');
  });

  test('includes further keys, each once', async () => {
    const replica = await signingWith(old, { JWT_VERIFICATION_KEYS: next.publicPem + old.publicPem });
    const { body } = await jwksOf(replica).expect(200);
    expect(body.keys.map(({ x }: { x: string }) => x)).toEqual(
      [old, next].map(({ publicKey }) => publicKey.export({ format: 'jwk' }).x),
    );
  });

  test('is empty while tokens are signed with a shared secret', async () => {
    expect((await jwksOf(shop).expect(200)).body).toEqual({ keys: [] });
  });
});

describe('tokens of a private key', () => {
  test('contain its name, and are accepted by every replica that knows it', async () => {
    const replica = await signingWith(old);
    const { tokens, bearer } = await register(replica.app);
    const kid = (await jwksOf(replica)).body.keys[0].kid;
    for (const token of [tokens.access_token, tokens.refresh_token])
      expect(headerOf(token)).toEqual({ alg: 'ES256', typ: 'JWT', kid });
    await me(replica.app, bearer).expect(200);
    await me((await signingWith(next, { JWT_VERIFICATION_KEYS: old.publicPem })).app, bearer).expect(200);
    await me((await signingWith(next)).app, bearer).expect(401);
  });

  test('get the same successor in 20 concurrent refreshes, although signatures differ', async () => {
    const { app, db } = await signingWith(old);
    const { tokens } = await register(app);
    // Connections are opened first: a busy machine may need longer for ten of them than a request waits.
    await Promise.all(Array.from({ length: 10 }, () => db.$queryRaw`SELECT 1`));
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => refresh(app, tokens.refresh_token).expect(200)),
    );
    const given = responses.map((response) => response.body.tokens.refresh_token as string);
    expect(new Set(given.map((token) => (jwt.decode(token) as jwt.JwtPayload).jti)).size).toBe(1);
    for (const token of given) await refresh(app, token).expect(200);
  });

  const claimsOf = (token: string) => jwt.decode(token) as jwt.JwtPayload;
  const forgeries: [string, (token: string) => string][] = [
    ['HS256 with the public key', (token) => hs256(token, old.publicPem)],
    ['a stranger’s key', (token) => signed(token, next.privateKey)],
    ['the name of another key', (token) => signed(token, old.privateKey, 'another')],
    ['the shared secret of others', (token) => jwt.sign(claimsOf(token), TEST_JWT_SECRET)],
  ];
  /** Signed by hand, because jsonwebtoken refuses to. */
  function hs256(token: string, secret: string): string {
    const head = { ...headerOf(token), alg: 'HS256' };
    const content = `${Buffer.from(JSON.stringify(head)).toString('base64url')}.${token.split('.')[1]}`;
    return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
  }
  const signed = (token: string, key: KeyObject, kid = headerOf(token)?.kid ?? '') =>
    jwt.sign(claimsOf(token), key, { algorithm: 'ES256', keyid: kid });

  test.each(forgeries)('cannot be made with %s', async (_what, forge) => {
    const { app } = await signingWith(old);
    const { tokens, bearer } = await register(app);
    await me(app, `Bearer ${forge(tokens.access_token)}`).expect(401);
    await refresh(app, forge(tokens.refresh_token)).expect(401);
    await me(app, bearer).expect(200);
    await me(app, `Bearer ${tokens.refresh_token}`).expect(401);
  });

  test('are the only valid ones: tokens of the shared secret are refused', async () => {
    const { app } = await signingWith(old, { JWT_SECRET_KEY: TEST_JWT_SECRET });
    for (const token of [signTestToken(), ...BAD_ACCESS_TOKENS.map(([, bad]) => bad)])
      await me(app, `Bearer ${token}`).expect(401);
  });
});

describe('switching over', () => {
  test('from the secret to a key signs no user out while the secret is still known', async () => {
    const { tokens, bearer } = await register(shop.app);
    const { app } = await signingWith(old, { JWT_SECRET_KEY: TEST_JWT_SECRET });
    await me(app, bearer).expect(401);
    const renewed = await refresh(app, tokens.refresh_token).expect(200);
    expect(headerOf(renewed.body.tokens.refresh_token)?.alg).toBe('ES256');
    await me(app, bearerOf(renewed.body.tokens)).expect(200);
    // Without the secret, only tokens of the new key are accepted.
    const after = await signingWith(old);
    await refresh(after.app, tokens.refresh_token).expect(401);
    await refresh(after.app, renewed.body.tokens.refresh_token).expect(200);
  });

  test('from key to key: publish, sign, drop', async () => {
    const first = await signingWith(old);
    const { tokens } = await register(first.app);
    const published = await signingWith(old, { JWT_VERIFICATION_KEYS: next.publicPem });
    const second = await refresh(published.app, tokens.refresh_token).expect(200);
    const signing = await signingWith(next, { JWT_VERIFICATION_KEYS: old.publicPem });
    const third = await refresh(signing.app, second.body.tokens.refresh_token).expect(200);
    // A replica that was not restarted yet accepts tokens that the others sign already.
    await me(published.app, bearerOf(third.body.tokens)).expect(200);
    await me(signing.app, bearerOf(second.body.tokens)).expect(200);
    const dropped = await signingWith(next);
    await me(dropped.app, bearerOf(third.body.tokens)).expect(200);
    await me(dropped.app, bearerOf(second.body.tokens)).expect(401);
    await refresh(dropped.app, third.body.tokens.refresh_token).expect(200);
  });
});
