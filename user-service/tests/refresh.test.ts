import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import { pino } from 'pino';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { me, refresh, register } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const bearerOf = (tokens: { access_token: string }) => `Bearer ${tokens.access_token}`;
const jtiOf = (token: string) => (jwt.decode(token) as jwt.JwtPayload).jti ?? '';
const hashOf = (jti: string) => createHash('sha256').update(jti).digest('base64url');
/** Makes the last rotation of a user's only session older than the grace period. */
const endGrace = (userId: number) =>
  shop.db.session.updateMany({ where: { userId }, data: { rotatedAt: new Date(Date.now() - 10_500) } });

describe('POST /api/users/refresh', () => {
  test('returns a new pair and spends the old token', async () => {
    const { user, tokens } = await register(shop.app);
    const response = await refresh(shop.app, tokens.refresh_token).expect(200);
    expect(response.body).toEqual({
      tokens: {
        access_token: expect.any(String),
        refresh_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 3600,
      },
    });
    expect(response.body.tokens.refresh_token).not.toBe(tokens.refresh_token);
    const own = await me(shop.app, bearerOf(response.body.tokens)).expect(200);
    expect(own.body.user).toEqual(user);
  });

  test('accepts the token as the Bearer token too', async () => {
    const { tokens } = await register(shop.app);
    const response = await request(shop.app)
      .post('/api/users/refresh')
      .set('Authorization', `Bearer ${tokens.refresh_token}`)
      .expect(200);
    await refresh(shop.app, response.body.tokens.refresh_token).expect(200);
  });

  test('stores only hashes of the tokens', async () => {
    const { user, tokens } = await register(shop.app);
    const row = await shop.db.session.findFirstOrThrow({ where: { userId: user.id } });
    expect(row.currentTokenHash).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(row)).not.toContain(jtiOf(tokens.refresh_token));
  });

  test('revokes the session when a spent token is used again', async () => {
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

  test('names the session in the log when a spent token is used again', async () => {
    const lines: { session_id?: string; msg: string }[] = [];
    const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const { app } = await shop.startReplica({ logger });
    const { user, tokens } = await register(shop.app);
    await refresh(shop.app, tokens.refresh_token).expect(200);
    await endGrace(user.id);
    await refresh(app, tokens.refresh_token).expect(401);
    const { id } = await shop.db.session.findFirstOrThrow({ where: { userId: user.id } });
    expect(lines.filter(({ session_id }) => session_id === id)).toMatchObject([
      { msg: 'a spent refresh token was used again: session revoked' },
    ]);
  });

  test('accepts a retry with the previous token within 10 s, and returns the same successor', async () => {
    const { tokens } = await register(shop.app);
    const first = await refresh(shop.app, tokens.refresh_token).expect(200);
    const retried = await refresh(shop.app, tokens.refresh_token).expect(200);
    expect(jtiOf(retried.body.tokens.refresh_token)).toBe(jtiOf(first.body.tokens.refresh_token));
    await me(shop.app, bearerOf(first.body.tokens)).expect(200);
    await me(shop.app, bearerOf(retried.body.tokens)).expect(200);
  });

  test('keeps two tabs signed in that refresh the same token, whichever response is used next', async () => {
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

  test('the id of a token cannot be computed by a reader of the database', async () => {
    const { user, tokens } = await register(shop.app);
    const row = await shop.db.session.findFirstOrThrow({ where: { userId: user.id } });
    const next = await refresh(shop.app, tokens.refresh_token).expect(200);
    expect(jtiOf(next.body.tokens.refresh_token)).not.toBe(row.currentTokenHash);
  });

  test('the id of the next token is not a plain hash of the last', async () => {
    const { tokens } = await register(shop.app);
    const next = await refresh(shop.app, tokens.refresh_token).expect(200);
    const last = jtiOf(tokens.refresh_token);
    const computable = ['', 'shop/refresh-token/successor/'].map((prefix) => hashOf(`${prefix}${last}`));
    expect(computable).not.toContain(jtiOf(next.body.tokens.refresh_token));
  });

  test('does not accept an older token, however recent it is', async () => {
    const { tokens } = await register(shop.app);
    const second = await refresh(shop.app, tokens.refresh_token).expect(200);
    await refresh(shop.app, second.body.tokens.refresh_token).expect(200);
    const reused = await refresh(shop.app, tokens.refresh_token).expect(401);
    expect(reused.body.code).toBe('token_reused');
  });

  test('the grace period starts with the first use, and retries do not extend it', async () => {
    const { user, tokens } = await register(shop.app);
    await refresh(shop.app, tokens.refresh_token).expect(200);
    const before = await shop.db.session.findFirstOrThrow({ where: { userId: user.id } });
    await refresh(shop.app, tokens.refresh_token).expect(200);
    const after = await shop.db.session.findFirstOrThrow({ where: { userId: user.id } });
    expect(after.rotatedAt).toEqual(before.rotatedAt);
  });

  test('20 concurrent requests with one token keep the session and get the same successor', async () => {
    const { user, tokens } = await register(shop.app);
    const replicas = [shop, await shop.startReplica()];
    // Connections are opened first: a busy machine may need longer for ten of them than a request waits.
    for (const replica of replicas) {
      await Promise.all(Array.from({ length: 10 }, () => replica.db.$queryRaw`SELECT 1`));
    }
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, i) => refresh((replicas[i % 2] ?? shop).app, tokens.refresh_token)),
    );
    expect(responses.map((response) => response.status)).toEqual(Array(20).fill(200));
    const given = responses.map((response) => response.body.tokens.refresh_token as string);
    const [successor, ...others] = new Set(given.map(jtiOf));
    expect(others).toEqual([]);
    const row = await shop.db.session.findFirstOrThrow({ where: { userId: user.id } });
    expect(row.currentTokenHash).toBe(hashOf(successor ?? ''));
    expect(row.previousTokenHash).toBe(hashOf(jtiOf(tokens.refresh_token)));
    expect(row.endedAt).toBeNull();
    // Each of them can continue with the token that it got.
    const followers = await Promise.all(given.map((token) => refresh(shop.app, token)));
    expect(followers.map((response) => response.status)).toEqual(Array(20).fill(200));
    const next = followers[0] as (typeof followers)[number];
    // The token that all of them used is two steps back now.
    await me(shop.app, bearerOf(next.body.tokens)).expect(200);
    await refresh(shop.app, tokens.refresh_token).expect(401);
    await me(shop.app, bearerOf(next.body.tokens)).expect(401);
  });

  test('reports a missing token', async () => {
    const response = await request(shop.app).post('/api/users/refresh').expect(400);
    expect(response.body.errors).toEqual(['Refresh token is required']);
    await request(shop.app).post('/api/users/refresh').set('Authorization', 'Basic abc').expect(401);
  });

  test.each([null, '', ' '])('a token in the body that is %j counts as absent', async (absent) => {
    const { tokens } = await register(shop.app);
    await request(shop.app)
      .post('/api/users/refresh')
      .set('Authorization', `Bearer ${tokens.refresh_token}`)
      .send({ refresh_token: absent })
      .expect(200);
    const response = await request(shop.app).post('/api/users/refresh').send({ refresh_token: absent });
    expect(response.body.details).toEqual([
      { path: 'refresh_token', code: 'required', message: 'Refresh token is required' },
    ]);
  });

  test('is refused once the session has expired', async () => {
    const { user, tokens } = await register(shop.app);
    await shop.db.session.updateMany({ where: { userId: user.id }, data: { expiresAt: new Date() } });
    const response = await refresh(shop.app, tokens.refresh_token).expect(401);
    expect(response.body.code).toBe('invalid_token');
  });
});
