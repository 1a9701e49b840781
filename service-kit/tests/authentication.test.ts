import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import request from 'supertest';
import { z } from 'zod';
import { unknownAccounts } from '../src/accounts/accounts.ts';
import { defineRoute, type Who } from '../src/http/define-route.ts';
import { createServiceTokenSigner } from '../src/tokens/service-token.ts';
import { BAD_ACCESS_TOKENS, signTestToken } from '../testing/bad-tokens.ts';
import { bearer, TEST_SERVICE_SECRET } from '../testing/test-tokens.ts';
import { createTestApp } from './support/test-app.ts';

const routeFor = <W extends Who>(who: W) =>
  defineRoute({
    method: 'get',
    path: `/${who}`,
    summary: `For ${who}`,
    who,
    limit: false,
    status: 200,
    response: z.object({ caller: z.unknown() }),
    handler: ({ user }) => ({ caller: user ?? null }),
  });
const routes = [routeFor('anyone'), routeFor('user'), routeFor('admin'), routeFor('service')];
const voidSessions = new Set<string>();
const { app, lines } = createTestApp({
  routes,
  accounts: { ...unknownAccounts, isVoid: ({ sessionId }) => voidSessions.has(sessionId) },
});

const get = (who: Who, authorization?: string) => {
  const call = request(app).get(`/${who}`);
  return authorization === undefined ? call : call.set('Authorization', authorization);
};

const sign = signTestToken;
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

const MALFORMED: [string, string][] = [
  ['nothing', ''],
  ['no scheme', sign()],
  ['another scheme', 'Basic dXNlcjpwYXNz'],
  ['a scheme without token', 'Bearer'],
  ['two tokens', `Bearer ${sign()} ${sign()}`],
  ['a list', `Bearer ${sign()}, Bearer ${sign()}`],
  ['quotes', `Bearer "${sign()}"`],
];

describe('a route for users', () => {
  test('admits a signed-in user, and passes the user to the handler', async () => {
    const response = await get('user', `Bearer ${sign()}`);
    expect(response.status).toBe(200);
    expect(response.body.caller).toMatchObject({
      kind: 'user',
      id: 7,
      role: 'customer',
      sessionId: expect.any(String),
    });
    expect(response.headers['cache-control']).toBe('no-store');
    expect(lines.at(-1)).toMatchObject({ msg: 'request', user_id: 7, path: '/user' });
  });

  test.each(['bearer', 'BEARER', 'Bearer   '])('accepts the scheme written as %j', async (kind) => {
    expect((await get('user', `${kind} ${sign()}`)).status).toBe(200);
  });

  test('returns 401 without a token', async () => {
    const response = await get('user');
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect(response.body).toMatchObject({
      code: 'unauthenticated',
      detail: expect.stringContaining('is required'),
    });
  });

  test.each(BAD_ACCESS_TOKENS)('refuses a token with %s', async (_what, token) => {
    const response = await get('user', `Bearer ${token}`);
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect(response.body.code).toBe('unauthenticated');
  });

  test.each(MALFORMED)('refuses a header with %s', async (_what, header) => {
    const response = await get('user', header);
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
  });

  test('refuses the tokens of a revoked session, and accepts those of the next', async () => {
    const ended = randomUUID();
    const token = bearer(7, 'customer', ended);
    expect((await get('user', token)).status).toBe(200);
    voidSessions.add(ended);
    expect((await get('user', token)).status).toBe(401);
    expect((await get('user', bearer(7))).status).toBe(200);
  });
});

describe('a route for anyone', () => {
  test('recognises a signed-in user', async () => {
    expect((await get('anyone', bearer(9))).body.caller).toMatchObject({ id: 9 });
  });

  test.each([...BAD_ACCESS_TOKENS.map(([what, token]) => [what, `Bearer ${token}`] as const), ...MALFORMED])(
    'treats a caller with %s as anonymous',
    async (_what, header) => {
      const response = await get('anyone', header);
      expect(response.status).toBe(200);
      expect(response.body.caller).toBeNull();
    },
  );

  test('treats the owner of a revoked token as anonymous', async () => {
    const ended = randomUUID();
    const token = bearer(7, 'customer', ended);
    voidSessions.add(ended);
    expect((await get('anyone', token)).body.caller).toBeNull();
  });
});

describe('while it is not known which tokens are revoked', () => {
  const accounts = { ...unknownAccounts, isKnown: () => false };
  const { app: starting } = createTestApp({ routes, accounts });
  const ask = (who: Who, authorization?: string) =>
    request(starting)
      .get(`/${who}`)
      .set(authorization === undefined ? {} : { Authorization: authorization });

  test.each<Who>(['user', 'admin'])('a valid token gets 503 from a route for %s', async (who) => {
    const response = await ask(who, bearer(7));
    expect([response.status, response.body.code, response.headers['retry-after']]).toEqual([
      503,
      'starting',
      '1',
    ]);
  });

  test('an invalid token gets 401, and anonymous callers and services are served', async () => {
    expect((await ask('user', 'Bearer garbage')).status).toBe(401);
    expect((await ask('anyone')).status).toBe(200);
    const service = createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', 'kit-service')();
    expect((await ask('service', `Bearer ${service}`)).status).toBe(200);
  });

  test('on a route for anyone, the owner of a token counts as anonymous', async () => {
    expect((await ask('anyone', bearer(7))).body.caller).toBeNull();
  });
});

describe('a route for admins', () => {
  test('returns 403 to customers, 401 to anonymous callers and 200 to admins', async () => {
    const refused = await get('admin', bearer(7));
    expect(refused.status).toBe(403);
    expect(refused.body.code).toBe('forbidden');
    expect((await get('admin')).status).toBe(401);
    expect((await get('admin', bearer(7, 'admin'))).status).toBe(200);
  });
});

describe('a route for services', () => {
  const tokenOf = createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', 'kit-service');

  test('admits another service, and passes its name to the handler', async () => {
    const response = await get('service', `Bearer ${tokenOf()}`);
    expect(response.body.caller).toEqual({ kind: 'service', name: 'order-service' });
    expect(lines.at(-1)).toMatchObject({ service_id: 'order-service' });
  });

  test.each([
    ['no token', undefined],
    ['the token of an admin', bearer(1, 'admin')],
    [
      'a token for another service',
      `Bearer ${createServiceTokenSigner(TEST_SERVICE_SECRET, 'a', 'user-service')()}`,
    ],
    ['a token with another secret', `Bearer ${createServiceTokenSigner('another', 'a', 'kit-service')()}`],
    ['a service token without algorithm', `Bearer ${encode({ alg: 'none' })}.${tokenOf().split('.')[1]}.`],
    [
      'a user token signed with the secret of services',
      `Bearer ${sign({ audience: 'kit-service' }, {}, TEST_SERVICE_SECRET)}`,
    ],
    [
      'a token that expired more than the tolerated 60 s ago',
      `Bearer ${jwt.sign({ typ: 'service' }, TEST_SERVICE_SECRET, { issuer: 'a', audience: 'kit-service', expiresIn: -70 })}`,
    ],
  ])('returns 401 to %s', async (_what, header) => {
    expect((await get('service', header)).status).toBe(401);
  });

  test('does not admit a service to routes for users', async () => {
    expect((await get('user', `Bearer ${tokenOf()}`)).status).toBe(401);
  });
});
