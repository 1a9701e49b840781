import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { me, PASSWORD, register, registration } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const post = (body: object) => request(shop.app).post('/api/users/register').send(body);

describe('POST /api/users/register', () => {
  test('creates an account and signs in', async () => {
    const body = { username: 'alice', email: 'alice@example.com', password: PASSWORD };
    const response = await post(body).expect(201);
    expect(response.body).toEqual({
      message: 'User registered successfully',
      user: {
        id: expect.any(Number),
        username: 'alice',
        email: 'alice@example.com',
        role: 'customer',
        email_verified: false,
        created_at: expect.stringMatching(/Z$/),
        updated_at: expect.stringMatching(/Z$/),
      },
      tokens: {
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 3600,
      },
    });
    expect(response.headers['location']).toBe(`/api/users/${response.body.user.id}`);
    expect(response.headers['cache-control']).toBe('no-store');
    const own = await me(shop.app, `Bearer ${response.body.tokens.access_token}`).expect(200);
    expect(own.body).toEqual({ user: response.body.user });
  });

  test('reports all missing fields together', async () => {
    const response = await post({}).expect(400);
    expect(response.body.code).toBe('validation_failed');
    expect(response.body.errors).toEqual([
      'Username is required',
      'Email is required',
      'Password is required',
    ]);
    const noBody = await request(shop.app).post('/api/users/register').expect(400);
    expect(noBody.body.errors).toHaveLength(3);
  });

  test('reports all issues together, with the messages of the original', async () => {
    const response = await post({ username: 'al', email: 'nonsense', password: 'short12' }).expect(400);
    expect(response.body.errors).toEqual([
      'Username must be at least 3 characters',
      'Invalid email format',
      'Password must be at least 8 characters',
    ]);
    expect(response.body.details).toEqual([
      { path: 'username', code: 'too_short', minimum: 3, message: response.body.errors[0] },
      { path: 'email', code: 'invalid_email', message: response.body.errors[1] },
      { path: 'password', code: 'too_short', minimum: 8, message: response.body.errors[2] },
    ]);
  });

  test.each<[string, Record<string, unknown>, object]>([
    ['a space in the name', { username: 'al ice' }, { path: 'username', code: 'invalid_characters' }],
    ['an empty password', { password: '' }, { path: 'password', code: 'required' }],
    ['NUL in the password', { password: 'secure\0pass' }, { path: 'password', code: 'invalid_characters' }],
    ['a long password', { password: 'x'.repeat(257) }, { path: 'password', code: 'too_long', maximum: 256 }],
  ])('returns a specific code for %s', async (_what, wrong, detail) => {
    const response = await post(registration(wrong)).expect(400);
    expect(response.body.details).toEqual([{ ...detail, message: expect.any(String) }]);
  });

  test('counts characters of a name, not UTF-16 units', async () => {
    // Gothic letters, which take two UTF-16 units.
    await register(shop.app, { username: '\u{10330}'.repeat(80) });
    await post(registration({ username: '\u{10330}'.repeat(81) })).expect(400);
    await register(shop.app, { username: 'ß'.repeat(80) });
    await post(registration({ username: 's'.repeat(160) })).expect(400);
  });

  test('keeps the spelling of the name and trims it', async () => {
    const { user } = await register(shop.app, { username: '  Zoë.B-1_x ', email: ' Zoe@Example.com ' });
    expect(user).toMatchObject({ username: 'Zoë.B-1_x', email: 'Zoe@Example.com' });
  });

  test.each([
    ['case', 'Karl', 'kARL'],
    ['Unicode form', 'rené', 'rene\u0301'],
    ['width', 'wide', 'ｗｉｄｅ'],
    ['sharp s', 'strauß', 'STRAUSS'],
  ])('refuses a name and an address that differ in %s only', async (_what, first, second) => {
    await register(shop.app, { username: first, email: `${first}@example.com` });
    const name = await post(registration({ username: second })).expect(409);
    expect(name.body).toMatchObject({ code: 'username_taken', detail: 'Username already exists' });
    const email = await post(registration({ email: `${second}@EXAMPLE.com` })).expect(409);
    expect(email.body).toMatchObject({ code: 'email_taken', error: 'Email already exists' });
  });

  test('takes a domain and its punycode for one address', async () => {
    await post(registration({ email: 'a@xn--mller-kva.example' })).expect(201);
    const { body } = await post(registration({ email: 'a@müller.example' })).expect(409);
    expect(body.code).toBe('email_taken');
  });

  test('lets one of several concurrent requests for a name or an address succeed', async () => {
    const sameName = registration();
    const names = await Promise.all(
      Array.from({ length: 8 }, (_, i) => post({ ...sameName, email: `racer${i}@example.com` })),
    );
    expect(names.map((response) => response.status).sort()).toEqual([201, ...Array(7).fill(409)]);
    expect(names.filter((response) => response.status === 409).map((response) => response.body.code)).toEqual(
      Array(7).fill('username_taken'),
    );
    const sameEmail = registration();
    const emails = await Promise.all(
      Array.from({ length: 8 }, (_, i) => post({ ...sameEmail, username: `racer${i}` })),
    );
    expect(emails.map((response) => response.status).sort()).toEqual([201, ...Array(7).fill(409)]);
    expect(emails.find((response) => response.status === 409)?.body.code).toBe('email_taken');
  });

  test.each([
    ['spaces around it', '  spaced out  '],
    ['eight emoji', '🦊🦊🦊🦊🦊🦊🦊🦊'],
    ['256 characters', '€'.repeat(256)],
  ])('accepts a password with %s unchanged', async (_what, password) => {
    const { user } = await register(shop.app, { password });
    const login = (attempt: string) =>
      request(shop.app).post('/api/users/login').send({ username: user.username, password: attempt });
    await login(password).expect(200);
    await login([...password].slice(0, -1).join('')).expect(401);
    await login([...password].slice(1).join('')).expect(401);
  });

  test('stores the password only as a bcrypt hash', async () => {
    const { user } = await register(shop.app);
    const row = await shop.db.user.findUniqueOrThrow({ where: { id: user.id } });
    expect(row.passwordHash).toMatch(/^\$2b\$04\$/);
    expect(JSON.stringify(row)).not.toContain(PASSWORD);
  });
});
