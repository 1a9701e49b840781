import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { until } from './support/until.ts';
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
  const answer = await request(shop.app)
    .get('/api/users/me/sessions')
    .set('Authorization', bearer)
    .expect(200);
  return answer.body.sessions as {
    id: string;
    current: boolean;
    user_agent: string | null;
    ip: string | null;
  }[];
};
/** Makes the last rotation of a user's only session older than the grace. */
const endGrace = (userId: number) =>
  shop.db.session.updateMany({ where: { userId }, data: { rotatedAt: new Date(Date.now() - 10_500) } });

describe('POST /api/users/refresh', () => {
  test('answers a new pair and spends the old token', async () => {
    const { user, tokens } = await register(shop.app);
    const answer = await refresh(shop.app, tokens.refresh_token).expect(200);
    expect(answer.body).toEqual({
      tokens: {
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 3600,
      },
    });
    expect(answer.body.tokens.refresh_token).not.toBe(tokens.refresh_token);
    const own = await me(shop.app, bearerOf(answer.body.tokens)).expect(200);
    expect(own.body.user).toEqual(user);
  });

  test('takes the token as the Bearer token too', async () => {
    const { tokens } = await register(shop.app);
    const answer = await post('refresh', `Bearer ${tokens.refresh_token}`).expect(200);
    await refresh(shop.app, answer.body.tokens.refresh_token).expect(200);
  });

  test('keeps only hashes of what it gave', async () => {
    const { user, tokens } = await register(shop.app);
    const row = await shop.db.session.findFirstOrThrow({ where: { userId: user.id } });
    expect(row.currentTokenHash).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(row)).not.toContain(jtiOf(tokens.refresh_token));
  });

  test('ends the session when a spent token comes again', async () => {
    const { user, tokens } = await register(shop.app);
    const second = await refresh(shop.app, tokens.refresh_token).expect(200);
    await endGrace(user.id);
    const reused = await refresh(shop.app, tokens.refresh_token).expect(401);
    expect(reused.body.code).toBe('token_reused');
    expect(reused.headers['www-authenticate']).toBe('Bearer');
    await me(shop.app, bearerOf(second.body.tokens)).expect(401);
    const after = await refresh(shop.app, second.body.tokens.refresh_token).expect(401);
    expect(after.body.code).toBe('invalid_token');
    const row = await shop.db.session.findFirstOrThrow({ where: { userId: user.id } });
    expect(row.endedReason).toBe('token_reused');
  });

  test('forgives a retry of the direct predecessor within 10 s, and answers the same successor', async () => {
    const { tokens } = await register(shop.app);
    const first = await refresh(shop.app, tokens.refresh_token).expect(200);
    const retried = await refresh(shop.app, tokens.refresh_token).expect(200);
    expect(jtiOf(retried.body.tokens.refresh_token)).toBe(jtiOf(first.body.tokens.refresh_token));
    await me(shop.app, bearerOf(first.body.tokens)).expect(200);
    await me(shop.app, bearerOf(retried.body.tokens)).expect(200);
  });

  test('keeps both of two tabs signed in that refresh one token, whichever answer is used next', async () => {
    const { tokens } = await register(shop.app);
    const [left, right] = await Promise.all([
      refresh(shop.app, tokens.refresh_token).expect(200),
      refresh(shop.app, tokens.refresh_token).expect(200),
    ]);
    const next = await Promise.all(
      [left, right].map((tab) => refresh(shop.app, tab.body.tokens.refresh_token).expect(200)),
    );
    for (const tab of next) await refresh(shop.app, tab.body.tokens.refresh_token).expect(200);
  });

  test('the id of a token cannot be taken for the next one by whoever reads the database', async () => {
    const { user, tokens } = await register(shop.app);
    const row = await shop.db.session.findFirstOrThrow({ where: { userId: user.id } });
    const next = await refresh(shop.app, tokens.refresh_token).expect(200);
    expect(jtiOf(next.body.tokens.refresh_token)).not.toBe(row.currentTokenHash);
  });

  test('does not forgive an older token, however young it is', async () => {
    const { tokens } = await register(shop.app);
    const second = await refresh(shop.app, tokens.refresh_token).expect(200);
    await refresh(shop.app, second.body.tokens.refresh_token).expect(200);
    const reused = await refresh(shop.app, tokens.refresh_token).expect(401);
    expect(reused.body.code).toBe('token_reused');
  });

  test('the grace is counted from the first use, retries do not lengthen it', async () => {
    const { user, tokens } = await register(shop.app);
    await refresh(shop.app, tokens.refresh_token).expect(200);
    const before = await shop.db.session.findFirstOrThrow({ where: { userId: user.id } });
    await refresh(shop.app, tokens.refresh_token).expect(200);
    const after = await shop.db.session.findFirstOrThrow({ where: { userId: user.id } });
    expect(after.rotatedAt).toEqual(before.rotatedAt);
  });

  test('20 at once with one token leave the session alive and one line of tokens', async () => {
    const { user, tokens } = await register(shop.app);
    const replicas = [shop, await shop.startReplica()];
    // Connections are opened first: a busy machine may need longer for ten of them than a request waits.
    for (const replica of replicas) {
      await Promise.all(Array.from({ length: 10 }, () => replica.db.$queryRaw`SELECT 1`));
    }
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => refresh((replicas[i % 2] ?? shop).app, tokens.refresh_token)),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
    const given = answers.map((answer) => answer.body.tokens.refresh_token as string);
    const [successor, ...others] = new Set(given.map(jtiOf));
    expect(others).toEqual([]);
    const row = await shop.db.session.findFirstOrThrow({ where: { userId: user.id } });
    expect(row.currentTokenHash).toBe(hashOf(successor ?? ''));
    expect(row.previousTokenHash).toBe(hashOf(jtiOf(tokens.refresh_token)));
    expect(row.endedAt).toBeNull();
    // Nobody of the crowd is signed out: each of them goes on with what it got.
    const followers = await Promise.all(given.map((token) => refresh(shop.app, token)));
    expect(followers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
    const next = followers[0] as (typeof followers)[number];
    // The predecessor of the whole crowd is two steps back now.
    await me(shop.app, bearerOf(next.body.tokens)).expect(200);
    await refresh(shop.app, tokens.refresh_token).expect(401);
    await me(shop.app, bearerOf(next.body.tokens)).expect(401);
  });

  test('is told what is missing without a token', async () => {
    const answer = await request(shop.app).post('/api/users/refresh').expect(400);
    expect(answer.body.errors).toEqual(['Refresh token is required']);
    await request(shop.app).post('/api/users/refresh').set('Authorization', 'Basic abc').expect(401);
  });

  test('is refused once the session has expired', async () => {
    const { user, tokens } = await register(shop.app);
    await shop.db.session.updateMany({ where: { userId: user.id }, data: { expiresAt: new Date() } });
    const answer = await refresh(shop.app, tokens.refresh_token).expect(401);
    expect(answer.body.code).toBe('invalid_token');
  });
});

describe('POST /api/users/logout', () => {
  test('ends this session only', async () => {
    const { user, tokens, bearer } = await register(shop.app);
    const other = await logIn(shop.app, user.username);
    const answer = await post('logout', bearer).expect(204);
    expect(answer.text).toBe('');
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
  test('ends every session of the user and of nobody else', async () => {
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
  test('lists where the user is signed in, last used first', async () => {
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

  test('ends one session; again it is not found', async () => {
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

  test("does not find someone else's, and refuses what is no id", async () => {
    const victim = await register(shop.app);
    const { bearer } = await register(shop.app);
    const [session] = await sessionsOf(victim.bearer);
    await end(session?.id ?? '', bearer).expect(404);
    await me(shop.app, victim.bearer).expect(200);
    await end('1', bearer).expect(400);
  });
});

const jtiOf = (token: string) => (jwt.decode(token) as jwt.JwtPayload).jti ?? '';

function hashOf(jti: string): string {
  return createHash('sha256').update(jti).digest('base64url');
}
