import { describe, expect, test } from '@jest/globals';
import { createAccessTokenVerifier, signAccessToken } from './access-token.ts';
import { fixedKeys, headerOf, secretKey } from './token-keys.ts';

const key = secretKey('a-secret-of-the-tests-that-is-long-enough');
const user = { id: 7, role: 'customer', sessionId: 's' } as const;

describe('an access token that was verified before', () => {
  test('is not verified again', () => {
    const { verify } = createAccessTokenVerifier(fixedKeys([key]));
    const token = signAccessToken(user, key, 60);
    const first = verify(token);
    expect(first).toEqual({ ...user, kind: 'user', generation: 0 });
    expect(verify(token)).toBe(first);
  });

  test('is refused from the second of its expiry on', () => {
    const issuedAt = Math.floor(Date.now() / 1000);
    let now = issuedAt;
    const { verify } = createAccessTokenVerifier(fixedKeys([key]), () => now);
    const token = signAccessToken(user, key, 60, new Date(issuedAt * 1000));
    expect(verify(token)).toMatchObject(user);
    now = issuedAt + 59.9;
    expect(verify(token)).toMatchObject(user);
    now = issuedAt + 60;
    expect(verify(token)).toBeUndefined();
  });

  test('is refused once its key is no longer accepted', () => {
    let accepted = [key];
    const { verify } = createAccessTokenVerifier({ find: (header) => fixedKeys(accepted).find(header) });
    const token = signAccessToken(user, key, 60);
    expect(verify(token)).toMatchObject(user);
    accepted = [secretKey('another-secret-of-the-tests-long-enough')];
    expect(verify(token)).toBeUndefined();
    accepted = [];
    expect(verify(token)).toBeUndefined();
  });
});

describe('the subject of an access token', () => {
  const { verify } = createAccessTokenVerifier(fixedKeys([key]));

  test.each([12, 2_147_483_647])('may be %s', (id) => {
    expect(verify(signAccessToken({ ...user, id }, key, 60))).toMatchObject({ id });
  });

  test.each(['2147483648', '0', '-1', '7x', '7 ', '1e3', 'x7'])('may not be %j', (id) => {
    const forged = { ...user, id: id as unknown as number };
    expect(verify(signAccessToken(forged, key, 60))).toBeUndefined();
  });
});

test('an access token names its key, if that has a name', () => {
  const named = { ...key, kid: 'of-november' };
  const { verify, awaitKey } = createAccessTokenVerifier({
    find: (header) => fixedKeys([named]).find(header),
    awaitKey: async ({ kid }) => expect(kid).toBe('of-november'),
  });
  const token = signAccessToken(user, named, 60);
  expect(headerOf(token)).toEqual({ alg: 'HS256', kid: 'of-november' });
  expect(verify(token)).toMatchObject(user);
  expect(awaitKey(token)).toBeInstanceOf(Promise);
});
