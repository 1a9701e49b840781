import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { TOKEN_AUDIENCE, TOKEN_ISSUER } from '../src/tokens/access-token.ts';
import { createServiceTokenSigner } from '../src/tokens/service-token.ts';
import { TEST_JWT_SECRET, TEST_SERVICE_SECRET } from './test-tokens.ts';

const USER = 7;
const claims = { role: 'customer', sid: randomUUID(), typ: 'access' };
const options: jwt.SignOptions = {
  algorithm: 'HS256',
  subject: String(USER),
  issuer: TOKEN_ISSUER,
  audience: TOKEN_AUDIENCE,
  expiresIn: 3600,
};

/** A token as user-service makes it for user 7, with changes. */
export const signTestToken = (change: jwt.SignOptions = {}, more: object = {}, secret = TEST_JWT_SECRET) =>
  jwt.sign({ ...claims, ...more }, secret, { ...options, ...change });

const without = (name: keyof jwt.SignOptions) => {
  const { [name]: _, ...rest } = options;
  return jwt.sign(claims, TEST_JWT_SECRET, rest);
};
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
const [header, payload, signature] = signTestToken().split('.');

/** An attacker's header over valid claims, signed with the attacker's secret. */
const withHeader = (head: object, secret = 'mine') => {
  const content = `${encode(head)}.${payload}`;
  return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
};
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const admin = {
  ...claims,
  sub: '1',
  role: 'admin',
  iss: TOKEN_ISSUER,
  aud: TOKEN_AUDIENCE,
  iat: 1,
  exp: 9e9,
};

/** Tokens that no service that verifies with `TEST_JWT_SECRET` may accept, by their fault. */
export const BAD_ACCESS_TOKENS: readonly (readonly [what: string, token: string])[] = [
  ['no algorithm', `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.`],
  ['no algorithm, and the signature of another', `${encode({ alg: 'none' })}.${payload}.${signature}`],
  ['HS512', signTestToken({ algorithm: 'HS512' })],
  ['another secret', signTestToken({}, {}, 'another-secret')],
  ['no secret', withHeader({ alg: 'HS256' }, '')],
  ['a key of its own', withHeader({ alg: 'HS256', jwk: { kty: 'oct', k: 'bWluZQ' } })],
  ['an unknown key', signTestToken({ keyid: 'unknown' })],
  ['a key of another kind', jwt.sign(claims, privateKey, { ...options, algorithm: 'ES256', keyid: 'k' })],
  ['claims that were changed', `${header}.${encode(admin)}.${signature}`],
  ['a cut signature', signTestToken().slice(0, -5)],
  ['an expiry in the past', signTestToken({ expiresIn: -1 })],
  ['a start in the future', signTestToken({ notBefore: 60 })],
  ['no expiry', without('expiresIn')],
  ['another audience', signTestToken({ audience: 'elsewhere' })],
  ['no audience', without('audience')],
  ['another issuer', signTestToken({ issuer: 'product-service' })],
  ['no issuer', without('issuer')],
  ['the kind of a refresh token', signTestToken({}, { typ: 'refresh' })],
  ['the kind of a service token', signTestToken({}, { typ: 'service' })],
  ['the signature of a service', createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', 'shop')()],
  ['an unknown role', signTestToken({}, { role: 'owner' })],
  ['no session', signTestToken({}, { sid: '' })],
  ['no user', without('subject')],
  ['an invalid user id', signTestToken({ subject: '07' })],
  ['a user 0', signTestToken({ subject: '0' })],
  ['a user above int32', signTestToken({ subject: '2147483648' })],
  ['a generation that is not a number', signTestToken({}, { gen: '1' })],
  ['two parts', 'abc.def'],
  ['a header that is not an object', `${Buffer.from('null').toString('base64url')}.${payload}.${signature}`],
  ['garbage', 'garbage'],
  ['a string as payload', jwt.sign('text', TEST_JWT_SECRET)],
];
