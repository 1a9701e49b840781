import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { mailedToken, mailsAskedFor } from './support/mail-links.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { me, PASSWORD, type Registered, refresh, register, registration } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const post = (path: string, body: object = {}) => request(shop.app).post(`/api/users/${path}`).send(body);
const verify = (token: string) => post('verify-email', { token });
const tokenFor = (user: { id: number; email: string }) => mailedToken(shop.db, user, 'verify_email');
const asked = (userId: number) => mailsAskedFor(shop.db, userId, 'verify_email');
const change = ({ user, bearer }: Registered, body: object) =>
  request(shop.app).put(`/api/users/${user.id}`).set('Authorization', bearer).send(body);
const isVerified = async ({ bearer }: Registered) =>
  (await me(shop.app, bearer).expect(200)).body.user.email_verified;

describe('POST /api/users/verify-email', () => {
  test('verifies the address, once', async () => {
    const alice = await register(shop.app);
    const [token, other] = [await tokenFor(alice.user), await tokenFor(alice.user)];
    const response = await verify(token).expect(200);
    expect(response.body).toEqual({ message: 'Email verified successfully' });
    expect(await isVerified(alice)).toBe(true);
    for (const spent of [token, other]) {
      const again = await verify(spent).expect(400);
      expect(again.body.code).toBe('invalid_token');
    }
    expect(
      await shop.db.securityEvent.count({ where: { event: 'email_verified', userId: alice.user.id } }),
    ).toBe(1);
  });

  test.each<[string, (alice: Registered, token: string) => Promise<string> | string]>([
    ['that was never sent', () => 'x'.repeat(43)],
    ['of another kind', ({ user }) => mailedToken(shop.db, user, 'reset_password')],
    [
      'of 30 minutes ago',
      async ({ user }, token) => {
        await shop.db.mailToken.updateMany({ where: { userId: user.id }, data: { expiresAt: new Date() } });
        return token;
      },
    ],
    [
      'sent to the address before this one',
      async (alice, token) => {
        await change(alice, { email: `new-${alice.user.email}` }).expect(200);
        return token;
      },
    ],
  ])('refuses a token %s', async (_what, spoil) => {
    const alice = await register(shop.app);
    const response = await verify(await spoil(alice, await tokenFor(alice.user))).expect(400);
    expect(response.body.code).toBe('invalid_token');
    expect(await isVerified(alice)).toBe(false);
  });

  test('requires a token', async () => {
    const response = await post('verify-email').expect(400);
    expect(response.body.errors).toEqual(['Token is required']);
  });
});

describe('mails that verify an address', () => {
  const askAgain = ({ bearer }: Registered) => post('me/verify-email').set('Authorization', bearer);

  test('are sent on registration, and again on request, at most 3 in 15 minutes', async () => {
    const alice = await register(shop.app);
    expect(await asked(alice.user.id)).toBe(1);
    for (let i = 0; i < 4; i += 1) {
      const response = await askAgain(alice).expect(202);
      expect(response.body.message).toMatch(/on its way$/);
    }
    expect(await asked(alice.user.id)).toBe(3);
    await post('me/verify-email').expect(401);
  });

  test('are not sent if there is nothing to verify', async () => {
    const alice = await register(shop.app);
    await verify(await tokenFor(alice.user)).expect(200);
    await askAgain(alice).expect(202);
    expect(await asked(alice.user.id)).toBe(1);
  });

  test('are sent to a new address, which is not verified; the same address in another spelling stays verified', async () => {
    const alice = await register(shop.app);
    await verify(await tokenFor(alice.user)).expect(200);
    const same = await change(alice, {
      email: alice.user.email.toUpperCase(),
      username: 'same-alice',
    }).expect(200);
    expect(same.body.user.email_verified).toBe(true);
    expect(await asked(alice.user.id)).toBe(1);
    const moved = await change(alice, { email: 'alice-moved@example.com' }).expect(200);
    expect(moved.body.user.email_verified).toBe(false);
    expect(await asked(alice.user.id)).toBe(2);
  });

  test('are not sent if the registration fails', async () => {
    const before = await shop.db.mailRequest.count();
    const body = registration();
    const responses = await Promise.all(Array.from({ length: 4 }, () => post('register', body)));
    expect(responses.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    expect(await shop.db.mailRequest.count()).toBe(before + 1);
  });
});

describe('with REQUIRE_VERIFIED_EMAIL', () => {
  const start = () => shop.startReplica({ env: { REQUIRE_VERIFIED_EMAIL: 'true' } });

  test('a registration returns no tokens, and no login succeeds until the address is verified', async () => {
    const { app } = await start();
    const body = registration();
    const registered = await request(app).post('/api/users/register').send(body).expect(201);
    expect(registered.body).toEqual({
      message: 'User registered successfully',
      user: expect.objectContaining({ username: body.username, email_verified: false }),
    });
    const { user } = registered.body;
    const logIn = (password: string) =>
      request(app).post('/api/users/login').send({ username: body.username, password });
    const refused = await logIn(PASSWORD).expect(403);
    expect(refused.body.code).toBe('email_not_verified');
    expect(await asked(user.id)).toBe(2);
    const events = await shop.db.securityEvent.findMany({
      where: { userId: user.id },
      orderBy: { id: 'asc' },
    });
    expect(events.map(({ event }) => event)).toEqual(['registered', 'login_refused']);
    // Without the password the response does not reveal it.
    const wrong = await logIn('wrong-password').expect(401);
    expect(wrong.body.code).toBe('invalid_credentials');
    for (let i = 0; i < 3; i += 1) await logIn(PASSWORD).expect(403);
    expect(await asked(user.id)).toBe(3);
    expect(await shop.db.session.count({ where: { userId: user.id } })).toBe(0);
    await verify(await tokenFor(user)).expect(200);
    await logIn(PASSWORD).expect(200);
  });

  test('a refresh is refused before verification, without using the token', async () => {
    const { app } = await start();
    const { user, tokens } = await register(shop.app);
    const refused = await refresh(app, tokens.refresh_token).expect(403);
    expect(refused.body.code).toBe('email_not_verified');
    await refresh(app, 'garbage').expect(401);
    await verify(await tokenFor(user)).expect(200);
    await refresh(app, tokens.refresh_token).expect(200);
  });
});
