import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import jwt from 'jsonwebtoken';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { logIn, me, PASSWORD, refresh, register } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const NEW_PASSWORD = 'another-password';
const change = (bearer: string, body: object) =>
  request(shop.app).put('/api/users/me/password').set('Authorization', bearer).send(body);

describe('PUT /api/users/me/password', () => {
  test('sets the password, revokes every other session and returns new tokens for this one', async () => {
    const { user, tokens, bearer } = await register(shop.app);
    const other = await logIn(shop.app, user.username);
    const response = await change(bearer, { current_password: PASSWORD, new_password: NEW_PASSWORD }).expect(
      200,
    );
    expect(response.body).toEqual({
      message: 'Password changed successfully',
      tokens: { ...tokens, access_token: expect.any(String), refresh_token: expect.any(String) },
    });
    await me(shop.app, bearer).expect(401);
    await me(shop.app, `Bearer ${other.access_token}`).expect(401);
    await refresh(shop.app, other.refresh_token).expect(401);
    await me(shop.app, `Bearer ${response.body.tokens.access_token}`).expect(200);
    const next = await refresh(shop.app, response.body.tokens.refresh_token).expect(200);
    const sessions = await request(shop.app)
      .get('/api/users/me/sessions')
      .set('Authorization', `Bearer ${next.body.tokens.access_token}`);
    expect(sessions.body.sessions).toMatchObject([{ current: true }]);
    await logIn(shop.app, user.username, NEW_PASSWORD);
    await request(shop.app)
      .post('/api/users/login')
      .send({ username: user.username, password: PASSWORD })
      .expect(401);
  });

  test('issues a refresh token that cannot be derived from the previous one', async () => {
    const { user, tokens, bearer } = await register(shop.app);
    const response = await change(bearer, { current_password: PASSWORD, new_password: NEW_PASSWORD }).expect(
      200,
    );
    const { refresh_token } = await logIn(shop.app, user.username, NEW_PASSWORD);
    const jtis = [tokens.refresh_token, response.body.tokens.refresh_token, refresh_token].map(
      (token) => (jwt.decode(token) as jwt.JwtPayload).jti,
    );
    for (const jti of jtis) expect(jti).toMatch(/^[0-9a-f]{8}-/);
    expect(new Set(jtis).size).toBe(3);
  });

  test('issues a refresh token that is valid as long as any other', async () => {
    const { user, bearer } = await register(shop.app);
    const expiresAt = new Date();
    await shop.db.session.updateMany({ where: { userId: user.id }, data: { expiresAt } });
    const { body } = await change(bearer, { current_password: PASSWORD, new_password: NEW_PASSWORD }).expect(
      200,
    );
    await refresh(shop.app, body.tokens.refresh_token).expect(200);
  });

  test('an earlier refresh token is refused and revokes nothing', async () => {
    const { tokens, bearer } = await register(shop.app);
    const changed = await change(bearer, { current_password: PASSWORD, new_password: NEW_PASSWORD }).expect(
      200,
    );
    const response = await refresh(shop.app, tokens.refresh_token).expect(401);
    expect(response.body.code).toBe('invalid_token');
    await me(shop.app, `Bearer ${changed.body.tokens.access_token}`).expect(200);
    await refresh(shop.app, changed.body.tokens.refresh_token).expect(200);
  });

  test('a spent token issued after the change still revokes the session', async () => {
    const { bearer } = await register(shop.app);
    const { body } = await change(bearer, { current_password: PASSWORD, new_password: NEW_PASSWORD });
    const next = await refresh(shop.app, body.tokens.refresh_token).expect(200);
    await refresh(shop.app, next.body.tokens.refresh_token).expect(200);
    const reused = await refresh(shop.app, body.tokens.refresh_token).expect(401);
    expect(reused.body.code).toBe('token_reused');
  });

  test('refuses a wrong current password and changes nothing', async () => {
    const { user, bearer } = await register(shop.app);
    const response = await change(bearer, { current_password: 'wrong', new_password: NEW_PASSWORD }).expect(
      403,
    );
    expect(response.body.code).toBe('wrong_password');
    await me(shop.app, bearer).expect(200);
    await logIn(shop.app, user.username);
  });

  test('reports all issues together', async () => {
    const { bearer } = await register(shop.app);
    const empty = await change(bearer, {}).expect(400);
    expect(empty.body.errors).toEqual(['Current password is required', 'New password is required']);
    const short = await change(bearer, { current_password: PASSWORD, new_password: 'short' }).expect(400);
    expect(short.body.errors).toEqual(['New password must be at least 8 characters']);
  });

  test('one of two concurrent changes succeeds, and no session of the other remains', async () => {
    const { user, bearer } = await register(shop.app);
    const other = await logIn(shop.app, user.username);
    const bearers = [bearer, `Bearer ${other.access_token}`];
    const responses = await Promise.all(
      bearers.map((from, i) =>
        change(from, { current_password: PASSWORD, new_password: `${NEW_PASSWORD}${i}` }),
      ),
    );
    const winner = responses.findIndex((response) => response.status === 200);
    expect(responses.map((response) => response.status).sort()).toEqual([200, expect.any(Number)]);
    expect([401, 403]).toContain(responses[1 - winner]?.status);
    await me(shop.app, bearers[1 - winner] ?? '').expect(401);
    await logIn(shop.app, user.username, `${NEW_PASSWORD}${winner}`);
  });

  test('one of three concurrent changes in one session succeeds', async () => {
    const { user, bearer } = await register(shop.app);
    const responses = await Promise.all(
      [0, 1, 2].map((i) =>
        change(bearer, { current_password: PASSWORD, new_password: `${NEW_PASSWORD}${i}` }),
      ),
    );
    const statuses = responses.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    const winner = responses[statuses.indexOf(200)];
    for (const { status } of responses.filter((response) => response !== winner))
      expect([401, 403]).toContain(status);
    await refresh(shop.app, winner?.body.tokens.refresh_token).expect(200);
    await logIn(shop.app, user.username, `${NEW_PASSWORD}${statuses.indexOf(200)}`);
  });

  test('leaves no session of a concurrent login with the old password', async () => {
    const { user, bearer } = await register(shop.app);
    const logins = Array.from({ length: 5 }, () =>
      request(shop.app).post('/api/users/login').send({ username: user.username, password: PASSWORD }),
    );
    const body = { current_password: PASSWORD, new_password: NEW_PASSWORD };
    const responses = await Promise.all([change(bearer, body), ...logins]);
    expect(responses[0]?.status).toBe(200);
    for (const login of responses.slice(1)) {
      expect([200, 401]).toContain(login.status);
      if (login.status === 200) await refresh(shop.app, login.body.tokens.refresh_token).expect(401);
    }
  });

  test('returns 401 in a session that was revoked meanwhile, and keeps the password', async () => {
    const { user, bearer } = await register(shop.app);
    await shop.db.session.updateMany({ where: { userId: user.id }, data: { endedAt: new Date() } });
    await change(bearer, { current_password: PASSWORD, new_password: NEW_PASSWORD }).expect(401);
    await logIn(shop.app, user.username);
  });
});
