import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { type Registered, register, registration } from './support/user.factory.ts';

let shop: TestShop;
let alice: Registered;
let before: string;
const stored = async () =>
  JSON.stringify([await shop.db.user.findMany({ orderBy: { id: 'asc' } }), await shop.db.session.count()]);
beforeAll(async () => {
  shop = await startTestShop();
  alice = await register(shop.app);
  before = await stored();
});
afterAll(() => shop.close());

const raw = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  request(shop.app)
    .post(`/api/users/${path}`)
    .set({ 'Content-Type': 'application/json', ...headers })
    .serialize((sent: unknown) => sent as string)
    .send(body);
const good = () => JSON.stringify(registration());

type BadBody = [what: string, body: string | Buffer, status: number, headers?: Record<string, string>];

const badBodies: BadBody[] = [
  ['malformed JSON', '{"username": "alice"', 400],
  ['a string at its root', '"alice"', 400],
  ['a list at its root', '[]', 400],
  ['null at its root', 'null', 400],
  ['nothing in it', '', 400],
  ['200 kB', JSON.stringify({ username: 'x'.repeat(200_000) }), 413],
  ['a depth of 8,000', `${'['.repeat(8000)}${']'.repeat(8000)}`, 400],
  ['a depth of 8,000 in a field', `{"username":${'['.repeat(8000)}${']'.repeat(8000)}}`, 400],
  ['bad gzip', Buffer.from('no gzip'), 400, { 'Content-Encoding': 'gzip' }],
  ['an unknown encoding', good(), 415, { 'Content-Encoding': 'rot13' }],
  ['another type', good(), 415, { 'Content-Type': 'text/plain' }],
  ['an unknown field role', JSON.stringify(registration({ role: 'admin' })), 400],
  ['an own __proto__', good().replace('{', '{"__proto__": {"role": "admin"}, '), 400],
  ['constructor', JSON.stringify(registration({ constructor: { prototype: {} } })), 400],
  ['NUL in the name', JSON.stringify(registration({ username: 'ali\u0000ce' })), 400],
  ['NUL in the address', JSON.stringify(registration({ email: 'ali\u0000ce@example.com' })), 400],
  ['NUL in the password', JSON.stringify(registration({ password: 'secure\u0000pass123' })), 400],
  ['a lone surrogate in the name', good().replace('"user', '"\\ud800user'), 400],
  ['a lone surrogate in the password', good().replace('securepass', 'secure\\udfff'), 400],
  ['an operator as address', JSON.stringify(registration({ email: { not: '' } })), 400],
  ['an operator as password', JSON.stringify(registration({ password: { $ne: null } })), 400],
  ['a list as name', JSON.stringify(registration({ username: ['alice'] })), 400],
  ['a number as password', JSON.stringify(registration({ password: 123_456_789 })), 400],
  ['a name of 81 letters', JSON.stringify(registration({ username: 'x'.repeat(81) })), 400],
  ['a name with a space', JSON.stringify(registration({ username: 'al ice' })), 400],
  ['a name with an invisible letter', JSON.stringify(registration({ username: 'ali\u3164ce' })), 400],
  ['an address of 255 letters', JSON.stringify(registration({ email: `a@${'x.'.repeat(125)}com` })), 400],
  ['a password of 257 letters', JSON.stringify(registration({ password: 'x'.repeat(257) })), 400],
  ['an endless password', JSON.stringify(registration({ password: 'x'.repeat(90_000) })), 400],
];

describe('a body', () => {
  test.each(badBodies.map(([what, body, status, headers = {}]) => [what, body, status, headers] as const))(
    'with %s is refused',
    async (_what, body, status, headers) => {
      const response = await raw('register', body, headers);
      expect(response.status).toBe(status);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(response.body).toMatchObject({
        status,
        code: expect.any(String),
        request_id: expect.any(String),
      });
    },
  );

  test('may be compressed with gzip if it is valid', async () => {
    const body = gzipSync(JSON.stringify({ username: alice.user.username, password: 'wrong-password' }));
    await raw('login', body, { 'Content-Encoding': 'gzip' }).expect(401);
  });

  test.each<[string, object]>([
    ['an operator as name', { username: { not: '' }, password: 'securepass123' }],
    ['an operator as password', { username: 'user1', password: { not: '' } }],
    ['null', { username: null, password: null }],
    ['an unknown field', { username: 'user1', password: 'securepass123', remember: true }],
    ['a name without end', { username: 'x'.repeat(255), password: 'securepass123' }],
  ])('to sign in with %s is refused', async (_what, body) => {
    await raw('login', JSON.stringify(body)).expect(400);
  });
});

describe('an invalid address', () => {
  test.each(['%E0%A4%A', '%ff', '1%00', '9'.repeat(400), '%2e%2e%2fadmin'])('/api/users/%s', async (id) => {
    await request(shop.app).get(`/api/users/${id}`).set('Authorization', alice.bearer).expect(400);
  });
});

describe('invalid headers', () => {
  test.each(['', 'Bearer', 'Bearer a b', `Bearer ${'x'.repeat(7000)}`, 'Basic YTpi'])(
    'Authorization: %s',
    async (value) => {
      await request(shop.app).get('/api/users/me').set('Authorization', value).expect(401);
    },
  );

  test('with a request id that could break a log: it is replaced', async () => {
    const response = await request(shop.app).get('/health').set('X-Request-Id', 'a b"c').expect(200);
    expect(response.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

test('have written nothing, like all refused requests', async () => {
  expect(await stored()).toBe(before);
});
