import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TEST_JWT_SECRET, TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import jwt from 'jsonwebtoken';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { me, type Registered, refresh, register } from './support/user.factory.ts';

let shop: TestShop;
let alice: Registered;
beforeAll(async () => {
  shop = await startTestShop();
  alice = await register(shop.app);
});
afterAll(() => shop.close());

const claimsOf = (token: string) => jwt.decode(token) as jwt.JwtPayload;
/** A token as the service issues it, except for the overrides. */
function forged(token: string, claims: object, secret = TEST_JWT_SECRET, algorithm: jwt.Algorithm = 'HS256') {
  const payload = Object.entries({ ...claimsOf(token), ...claims }).filter(
    ([, value]) => value !== undefined,
  );
  return jwt.sign(Object.fromEntries(payload), algorithm === 'none' ? '' : secret, { algorithm });
}
function withOtherClaims(token: string): string {
  const [header, , signature] = token.split('.');
  const payload = JSON.stringify({ ...claimsOf(token), role: 'admin', sid: randomUUID() });
  return `${header}.${Buffer.from(payload).toString('base64url')}.${signature}`;
}
const past = Math.floor(Date.now() / 1000) - 10;

const forgeries: [string, (token: string) => string][] = [
  ['algorithm none', (token) => forged(token, {}, '', 'none')],
  ['HS512', (token) => forged(token, {}, TEST_JWT_SECRET, 'HS512')],
  ['another secret', (token) => forged(token, {}, 'another-secret')],
  ['a time past', (token) => forged(token, { exp: past })],
  ['no end', (token) => forged(token, { exp: undefined })],
  ['another audience', (token) => forged(token, { aud: 'elsewhere' })],
  ['another issuer', (token) => forged(token, { iss: 'somebody' })],
  ['another kind', (token) => forged(token, { typ: 'service' })],
  ['no session', (token) => forged(token, { sid: undefined })],
  ['an unknown key', (token) => jwt.sign(claimsOf(token), TEST_JWT_SECRET, { keyid: 'unknown' })],
  ['claims that were changed', withOtherClaims],
  ['the making of a service', createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', 'user-service')],
  ['a cut signature', (token) => token.slice(0, -5)],
  ['no form at all', () => 'garbage'],
];

describe('an access token', () => {
  test('that is valid is accepted', async () => {
    await me(shop.app, `Bearer ${forged(alice.tokens.access_token, {})}`).expect(200);
  });

  test.each(forgeries)('with %s is refused', async (_what, forge) => {
    const response = await me(shop.app, `Bearer ${forge(alice.tokens.access_token)}`).expect(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
  });

  test('cannot be a refresh token', async () => {
    await me(shop.app, `Bearer ${alice.tokens.refresh_token}`).expect(401);
  });
});

describe('a refresh token', () => {
  test.each(forgeries)('with %s is refused, and its session stays valid', async (_what, forge) => {
    const response = await refresh(shop.app, forge(alice.tokens.refresh_token)).expect(401);
    expect(response.body.code).toBe('invalid_token');
    expect(response.headers['www-authenticate']).toBe('Bearer');
    await me(shop.app, alice.bearer).expect(200);
  });

  test('cannot be an access token', async () => {
    const response = await refresh(shop.app, alice.tokens.access_token).expect(401);
    expect(response.body.code).toBe('invalid_token');
  });

  test('of an unknown session is refused', async () => {
    const token = forged(alice.tokens.refresh_token, { sid: '00000000-0000-4000-8000-000000000000' });
    await refresh(shop.app, token).expect(401);
  });

  test('is valid for 30 days, the access token for one hour; neither has unnecessary claims', () => {
    const access = claimsOf(alice.tokens.access_token);
    const refreshToken = claimsOf(alice.tokens.refresh_token);
    expect((access.exp ?? 0) - (access.iat ?? 0)).toBe(3600);
    for (const time of [access.iat, access.exp]) expect(Number.isInteger(time)).toBe(true);
    expect((refreshToken.exp ?? 0) - (refreshToken.iat ?? 0)).toBe(30 * 86_400);
    expect(Object.keys(access).sort()).toEqual([
      'aud',
      'exp',
      'gen',
      'iat',
      'iss',
      'role',
      'sid',
      'sub',
      'typ',
    ]);
    expect(Object.keys(refreshToken).sort()).toEqual([
      'aud',
      'exp',
      'iat',
      'iss',
      'jti',
      'pwv',
      'sid',
      'typ',
    ]);
  });
});
