import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@shop/service-kit/testing/until';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { logIn, me, refresh, register } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const bearerOf = (tokens: { access_token: string }) => `Bearer ${tokens.access_token}`;
const post = (path: string, bearer: string) =>
  request(shop.app).post(`/api/users/${path}`).set('Authorization', bearer);
const sessionsOf = async (bearer: string) => {
  const response = await request(shop.app)
    .get('/api/users/me/sessions')
    .set('Authorization', bearer)
    .expect(200);
  return response.body.sessions as {
    id: string;
    current: boolean;
    user_agent: string | null;
    ip: string | null;
  }[];
};
describe('POST /api/users/logout', () => {
  test('revokes this session only', async () => {
    const { user, tokens, bearer } = await register(shop.app);
    const other = await logIn(shop.app, user.username);
    const response = await post('logout', bearer).expect(204);
    expect(response.text).toBe('');
    await me(shop.app, bearer).expect(401);
    await refresh(shop.app, tokens.refresh_token).expect(401);
    await me(shop.app, bearerOf(other)).expect(200);
    await refresh(shop.app, other.refresh_token).expect(200);
  });

  test('is known to other processes within 5 s', async () => {
    const replica = await shop.startReplica();
    const { bearer } = await register(shop.app);
    await me(replica.app, bearer).expect(200);
    await post('logout', bearer).expect(204);
    await until(
      'the other process refuses the token',
      async () => (await me(replica.app, bearer)).status === 401,
      5000,
    );
  });
});

describe('POST /api/users/logout-all', () => {
  test('revokes every session of the user and of no other', async () => {
    const { user, tokens, bearer } = await register(shop.app);
    const stranger = await register(shop.app);
    const other = await logIn(shop.app, user.username);
    await post('logout-all', bearer).expect(204);
    await me(shop.app, bearer).expect(401);
    await me(shop.app, bearerOf(other)).expect(401);
    await refresh(shop.app, tokens.refresh_token).expect(401);
    await refresh(shop.app, other.refresh_token).expect(401);
    await me(shop.app, stranger.bearer).expect(200);
  });
});

describe('GET /api/users/me/sessions', () => {
  test('lists the sessions of the user, last used first', async () => {
    const { user, bearer } = await register(shop.app);
    await request(shop.app)
      .post('/api/users/login')
      .set('User-Agent', `Phone ${'x'.repeat(500)}`)
      .send({ username: user.username, password: 'securepass123' })
      .expect(200);
    const sessions = await sessionsOf(bearer);
    expect(sessions).toHaveLength(2);
    expect(sessions.map((session) => session.current)).toEqual([false, true]);
    expect(sessions[0]).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      created_at: expect.stringMatching(/Z$/),
      last_used_at: expect.stringMatching(/Z$/),
      user_agent: `Phone ${'x'.repeat(294)}`,
      ip: expect.stringContaining('127.0.0.1'),
      current: false,
    });
    expect(sessions[1]?.user_agent).toBeNull();
  });
});

describe('DELETE /api/users/me/sessions/:id', () => {
  const end = (id: string, bearer: string) =>
    request(shop.app).delete(`/api/users/me/sessions/${id}`).set('Authorization', bearer);

  test('revokes one session, and returns 404 when repeated', async () => {
    const { user, bearer } = await register(shop.app);
    const other = await logIn(shop.app, user.username);
    const [session] = (await sessionsOf(bearer)).filter(({ current }) => !current);
    await end(session?.id ?? '', bearer).expect(204);
    await me(shop.app, bearerOf(other)).expect(401);
    await refresh(shop.app, other.refresh_token).expect(401);
    expect(await sessionsOf(bearer)).toHaveLength(1);
    const again = await end(session?.id ?? '', bearer).expect(404);
    expect(again.body.code).toBe('session_not_found');
  });

  test("returns 404 for another user's session, and refuses an invalid id", async () => {
    const victim = await register(shop.app);
    const { bearer } = await register(shop.app);
    const [session] = await sessionsOf(victim.bearer);
    await end(session?.id ?? '', bearer).expect(404);
    await me(shop.app, victim.bearer).expect(200);
    await end('1', bearer).expect(400);
  });
});

describe('the number of active sessions', () => {
  test('is at most 50: a further login revokes the least recently used one, even with concurrent logins', async () => {
    const { user, tokens, bearer } = await register(shop.app);
    const second = await logIn(shop.app, user.username);
    await shop.db.session.createMany({
      data: Array.from({ length: 48 }, (_, i) => ({
        id: randomUUID(),
        userId: user.id,
        currentTokenHash: `hash${i}`,
        expiresAt: new Date(Date.now() + 86_400_000),
      })),
    });
    const active = () => shop.db.session.count({ where: { userId: user.id, endedAt: null } });
    expect(await active()).toBe(50);
    await refresh(shop.app, tokens.refresh_token).expect(200);
    await logIn(shop.app, user.username);
    expect(await active()).toBe(50);
    await me(shop.app, bearer).expect(200);
    await me(shop.app, bearerOf(second)).expect(401);
    await Promise.all(Array.from({ length: 6 }, () => logIn(shop.app, user.username)));
    expect(await active()).toBe(50);
    await me(shop.app, bearer).expect(200);
  });
});
