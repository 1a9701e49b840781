import { describe, expect, test } from '@jest/globals';
import { createAccessTokenVerifier, signAccessToken } from './access-token.ts';
import { fixedKeys, secretKey } from './token-keys.ts';

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
