import { createHmac, generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import request from 'supertest';
import { z } from 'zod';
import { defineRoute, type Who } from '../src/http/define-route.ts';
import { createMetrics } from '../src/runtime/metrics.ts';
import { signAccessToken, TOKEN_AUDIENCE, TOKEN_ISSUER } from '../src/tokens/access-token.ts';
import { openPublishedKeys } from '../src/tokens/published-keys.ts';
import { BAD_ACCESS_TOKENS } from '../testing/bad-tokens.ts';
import { withClockSetBack } from '../testing/clock.ts';
import { createTestKey, type KeyServer, startKeyServer, type TestKey } from '../testing/key-server.ts';
import { until } from '../testing/until.ts';
import { createRecordingLogger, createTestApp } from './support/test-app.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const routeFor = (who: Who) =>
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
const user = { id: 7, role: 'customer', sessionId: 's' } as const;
const tokenOf = ({ signer }: TestKey, lifetime = 60) => signAccessToken(user, signer, lifetime);

/** A service that verifies tokens with the keys published at this address. */
function serviceReading(url: string, interval?: number) {
  const { logger, lines } = createRecordingLogger();
  const keys = openPublishedKeys({
    url,
    logger,
    metrics: createMetrics('kit'),
    ...(interval === undefined ? {} : { interval }),
  });
  const { app } = createTestApp({
    routes: (['anyone', 'user', 'admin'] as const).map(routeFor),
    accessKeys: keys,
    checks: { required: keys.checks },
  });
  const get = (token: string, who: Who = 'user') =>
    request(app).get(`/${who}`).set('Authorization', `Bearer ${token}`);
  const isReady = async () => (await request(app).get('/ready')).status === 200;
  return { get, isReady, lines, close: keys.close };
}
async function startKeys(...published: TestKey[]): Promise<KeyServer> {
  const server = await startKeyServer(...published);
  closing.push(() => server.stop());
  return server;
}
/** The same, closed after the test. */
function startService(url: string, interval?: number) {
  const service = serviceReading(url, interval);
  closing.push(() => service.close());
  return service;
}
/** A service that has read the keys. */
async function readyService(server: KeyServer, interval?: number) {
  const service = startService(server.url, interval);
  await until('the keys are read', service.isReady);
  return service;
}

describe('a service that reads published keys', () => {
  const [key, stranger] = [createTestKey('one'), createTestKey('one')];
  let server: KeyServer;
  let service: Awaited<ReturnType<typeof readyService>>;
  beforeAll(async () => {
    server = await startKeyServer(key);
    service = serviceReading(server.url);
    await until('the keys are read', service.isReady);
  });
  afterAll(async () => {
    service.close();
    await server.stop();
  });

  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const [header, payload, signature] = tokenOf(key).split('.');
  const options: jwt.SignOptions = {
    subject: '7',
    issuer: TOKEN_ISSUER,
    audience: TOKEN_AUDIENCE,
    expiresIn: 60,
  };
  const claims = { role: 'customer', sid: 's', typ: 'access' };
  /** Signed by hand, because jsonwebtoken refuses to sign such a token. */
  const signedWithPublicKey = (head: object, secret: string) => {
    const content = `${encode(head)}.${payload}`;
    return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
  };
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey;
  const forged: [string, string][] = [
    ['the public key as a secret', signedWithPublicKey({ alg: 'HS256', kid: 'one' }, key.publicPem)],
    ['the public key as a secret, unnamed', signedWithPublicKey({ alg: 'HS256' }, key.publicPem)],
    ['no algorithm, under the name of the key', `${encode({ alg: 'none', kid: 'one' })}.${payload}.`],
    ["a stranger's key of the same name", tokenOf(stranger)],
    [
      "a stranger's key in the header",
      jwt.sign(claims, stranger.signer.key, {
        ...options,
        algorithm: 'ES256',
        header: { alg: 'ES256', kid: 'one', jwk: stranger.jwk } as jwt.JwtHeader,
      }),
    ],
    ['another curve', jwt.sign(claims, p384, { ...options, algorithm: 'ES384', keyid: 'one' })],
    ['no key name', jwt.sign(claims, key.signer.key, { ...options, algorithm: 'ES256' })],
    ['an expiry in the past', tokenOf(key, -1)],
    [
      'the kind of a refresh token',
      jwt.sign({ ...claims, typ: 'refresh' }, key.signer.key, {
        ...options,
        algorithm: 'ES256',
        keyid: 'one',
      }),
    ],
    [
      'claims that were changed',
      `${header}.${encode({ ...claims, sub: '1', role: 'admin', iss: TOKEN_ISSUER, aud: TOKEN_AUDIENCE, exp: 9e9 })}.${signature}`,
    ],
  ];

  test('admits users with tokens of the private key', async () => {
    const response = await service.get(tokenOf(key)).expect(200);
    expect(response.body.caller).toMatchObject({ kind: 'user', id: 7 });
    await service.get(tokenOf(key), 'admin').expect(403);
  });

  test.each([...forged, ...BAD_ACCESS_TOKENS])('refuses a token with %s', async (_what, token) => {
    const response = await service.get(token).expect(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expect((await service.get(token, 'anyone').expect(200)).body.caller).toBeNull();
  });
});

describe('an unknown key', () => {
  test('is read at the first token that names it', async () => {
    const [old, next] = [createTestKey('old'), createTestKey('next')];
    const server = await startKeys(old);
    const { get } = await readyService(server);
    server.publish(old, next);
    await get(tokenOf(next)).expect(200);
    await get(tokenOf(old)).expect(200);
    expect(server.reads()).toBe(2);
  });

  test('is read also after the clock was set back', async () => {
    const [old, next] = [createTestKey('old'), createTestKey('next')];
    const server = await startKeys(old);
    const { get } = await readyService(server);
    server.publish(old, next);
    await withClockSetBack(async () => {
      await get(tokenOf(next)).expect(200);
    });
  });

  test('causes one read for all concurrent requests, and then one every half second', async () => {
    const [key, unknown] = [createTestKey('one'), createTestKey('unknown')];
    const server = await startKeys(key);
    const { get } = await readyService(server);
    const startedAt = Date.now();
    const read = server.reads();
    await Promise.all(Array.from({ length: 50 }, () => get(tokenOf(unknown)).expect(401)));
    expect(server.reads()).toBe(read + 1);
    for (let i = 0; i < 3; i += 1) await get(tokenOf(unknown)).expect(401);
    expect(server.reads() - read).toBeLessThanOrEqual(1 + (Date.now() - startedAt) / 500);
  });

  test('is dropped once it is no longer published', async () => {
    const [old, next] = [createTestKey('old'), createTestKey('next')];
    const server = await startKeys(old, next);
    const { get } = await readyService(server, 50);
    await get(tokenOf(old)).expect(200);
    server.publish(next);
    await until('the old key is refused', async () => (await get(tokenOf(old))).status === 401);
    await get(tokenOf(next)).expect(200);
  });
});

describe('while the keys cannot be read', () => {
  test('known keys stay valid, and a token with an unknown key gets 503 and not 401', async () => {
    const [key, unknown] = [createTestKey('one'), createTestKey('unknown')];
    const server = await startKeys(key);
    const { get, isReady, lines } = await readyService(server, 50);
    await server.stop();
    await until('it was noticed', () => lines.some(({ msg }) => msg === 'keys of access tokens not read'));
    await get(tokenOf(key)).expect(200);
    const response = await get(tokenOf(unknown)).expect(503);
    expect(response.body.code).toBe('unavailable');
    expect(response.headers['retry-after']).toBe('2');
    expect(await isReady()).toBe(true);
  });

  test('a starting service serves anonymous callers, returns 503 to users, and recovers by itself', async () => {
    const key = createTestKey('one');
    const server = await startKeys(key);
    await server.stop();
    const { get, isReady } = startService(server.url);
    const response = await get(tokenOf(key)).expect(503);
    expect(response.headers['retry-after']).toBe('2');
    expect((await get(tokenOf(key), 'anyone').expect(200)).body.caller).toBeNull();
    await get('garbage').expect(401);
    expect(await isReady()).toBe(false);
    await server.start();
    await until('it is ready', isReady);
    await get(tokenOf(key)).expect(200);
  });

  test.each<[string, Parameters<KeyServer['respondWith']>[0]]>([
    ['an error', (_request, response) => response.writeHead(500).end()],
    ['a redirection', (_request, response) => response.writeHead(302, { Location: '/elsewhere' }).end()],
    ['a page instead of JSON', (_request, response) => response.end('<html>')],
    ['no keys', (_request, response) => response.end('{"keys":[]}')],
    ['only keys of other types', (_request, response) => response.end('{"keys":[{"kty":"RSA"}]}')],
    [
      'too many bytes',
      (_request, response) => response.end(JSON.stringify({ keys: [], more: 'x'.repeat(70_000) })),
    ],
    ['half a response', (_request, response) => void response.writeHead(200).write('{"keys":')],
    ['nothing', () => undefined],
  ])('%s does not block the request', async (_what, listener) => {
    const key = createTestKey('one');
    const server = await startKeys(key);
    server.respondWith(listener);
    const { get } = startService(server.url);
    await get(tokenOf(key)).expect(503);
    server.respondWith();
    await until('it is let in', async () => (await get(tokenOf(key))).status === 200);
  });
});
