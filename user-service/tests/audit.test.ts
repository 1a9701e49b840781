import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@shop/service-kit/testing/until';
import request from 'supertest';
import { auditTrail } from './support/audit-trail.ts';
import { mailedToken } from './support/mail-links.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import {
  logIn,
  PASSWORD,
  type Registered,
  refresh,
  register,
  registerAdmin,
} from './support/user.factory.ts';

let shop: TestShop;
let admin: Registered;
let trail: ReturnType<typeof auditTrail>;
beforeAll(async () => {
  shop = await startTestShop();
  admin = await registerAdmin(shop.app, shop.db);
  trail = auditTrail(shop.app, admin.bearer);
});
afterAll(() => shop.close());

const post = (path: string, body: object, bearer = '') =>
  request(shop.app)
    .post(`/api/users/${path}`)
    .set(bearer === '' ? {} : { Authorization: bearer })
    .send(body);

describe('the audit trail', () => {
  test('records who did what, to whom and from where', async () => {
    const { user } = await register(shop.app);
    await request(shop.app)
      .post('/api/users/login')
      .set({ 'User-Agent': `Phone ${'x'.repeat(500)}`, 'X-Request-Id': 'seen-in.the-log' })
      .send({ username: user.username, password: PASSWORD })
      .expect(200);
    const [login, registered] = await trail.eventsOf(user.id);
    expect(login).toEqual({
      id: expect.any(Number),
      event: 'login_succeeded',
      user_id: user.id,
      actor_id: user.id,
      ip: expect.stringContaining('127.0.0.1'),
      user_agent: `Phone ${'x'.repeat(294)}`,
      request_id: 'seen-in.the-log',
      details: {},
      created_at: expect.stringMatching(/Z$/),
    });
    expect(registered).toMatchObject({ event: 'registered', user_id: user.id, actor_id: user.id });
  });

  test('records logins and logouts', async () => {
    const { user, tokens, bearer } = await register(shop.app);
    await post('logout', {}, bearer).expect(204);
    const second = await logIn(shop.app, user.username);
    const third = await logIn(shop.app, user.username);
    const sessions = await request(shop.app)
      .get('/api/users/me/sessions')
      .set('Authorization', `Bearer ${third.access_token}`);
    const other = sessions.body.sessions.find(({ current }: { current: boolean }) => !current);
    await request(shop.app)
      .delete(`/api/users/me/sessions/${other.id}`)
      .set('Authorization', `Bearer ${third.access_token}`)
      .expect(204);
    const { body } = await refresh(shop.app, third.refresh_token).expect(200);
    await shop.db.session.updateMany({ where: { userId: user.id }, data: { rotatedAt: new Date(0) } });
    await refresh(shop.app, third.refresh_token).expect(401);
    await refresh(shop.app, body.tokens.refresh_token).expect(401);
    await refresh(shop.app, tokens.refresh_token).expect(401);
    await refresh(shop.app, second.refresh_token).expect(401);
    const last = await logIn(shop.app, user.username);
    await post('logout-all', {}, `Bearer ${last.access_token}`).expect(204);
    const recorded = (await trail.eventsOf(user.id)).reverse();
    expect(recorded.map(({ event, actor_id, details }) => [event, actor_id, details])).toEqual([
      ['registered', user.id, {}],
      ['logout', user.id, { sessions: 1 }],
      ['login_succeeded', user.id, {}],
      ['login_succeeded', user.id, {}],
      ['session_ended', user.id, { sessions: 1 }],
      ['token_reused', null, {}],
      ['login_succeeded', user.id, {}],
      ['logout_all', user.id, { sessions: 1 }],
    ]);
  });

  test('records changes of password and address', async () => {
    const { user, bearer } = await register(shop.app);
    const changed = await request(shop.app)
      .put('/api/users/me/password')
      .set('Authorization', bearer)
      .send({ current_password: PASSWORD, new_password: 'another-password' })
      .expect(200);
    await request(shop.app)
      .put(`/api/users/${user.id}`)
      .set('Authorization', `Bearer ${changed.body.tokens.access_token}`)
      .send({ email: `new-${user.email}` })
      .expect(200);
    const moved = { id: user.id, email: `new-${user.email}` };
    await post('verify-email', { token: await mailedToken(shop.db, moved, 'verify_email') }).expect(200);
    await post('password-reset', { email: moved.email }).expect(202);
    const token = await mailedToken(shop.db, moved, 'reset_password');
    await post('password-reset/confirm', { token, new_password: 'one-more-password' }).expect(200);
    expect(await trail.namesOf(user.id)).toEqual([
      'registered',
      'password_changed',
      'email_changed',
      'email_verified',
      'password_reset_asked',
      'password_reset',
    ]);
  });

  test('records a change of the password that the lock refuses', async () => {
    const { user, bearer } = await register(shop.app);
    const { app } = await shop.startReplica({
      env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_LOGIN_FAILURES: '2/900' },
    });
    const change = (current_password: string) =>
      request(app)
        .put('/api/users/me/password')
        .set('Authorization', bearer)
        .send({ current_password, new_password: 'another-password' });
    for (let i = 0; i < 2; i += 1) await change('wrong').expect(403);
    await change(PASSWORD).expect(429);
    const isRecorded = async () => (await trail.namesOf(user.id)).includes('login_locked');
    await until('the refusal is recorded', isRecorded);
  });

  test("records wrong current passwords, renames, and changes of a user's address by an admin", async () => {
    const { user, bearer } = await register(shop.app);
    await request(shop.app)
      .put('/api/users/me/password')
      .set('Authorization', bearer)
      .send({ current_password: 'wrong', new_password: 'another-password' })
      .expect(403);
    const isRecorded = async () => (await trail.namesOf(user.id)).includes('wrong_password');
    await until('the wrong password is recorded', isRecorded);
    const change = (as: string, body: object) =>
      request(shop.app).put(`/api/users/${user.id}`).set('Authorization', as).send(body).expect(200);
    await change(bearer, { username: `renamed-${user.username}` });
    await change(bearer, { username: `renamed-${user.username}` });
    await change(admin.bearer, { email: `by-admin-${user.email}` });
    const [moved, renamed, wrong] = await trail.eventsOf(user.id);
    expect(moved).toMatchObject({ event: 'email_changed', user_id: user.id, actor_id: admin.user.id });
    expect(renamed).toMatchObject({ event: 'username_changed', user_id: user.id, actor_id: user.id });
    expect(wrong).toMatchObject({ event: 'wrong_password', user_id: user.id, actor_id: user.id });
    expect(await trail.namesOf(user.id)).toHaveLength(4);
  });

  test('records actions of admins on other users', async () => {
    const { user } = await register(shop.app);
    const asAdmin = (method: 'put' | 'delete', path: string, body?: object) =>
      request(shop.app)[method](`/api/users/${user.id}${path}`).set('Authorization', admin.bearer).send(body);
    await asAdmin('put', '/role', { role: 'admin' }).expect(200);
    await asAdmin('put', '/role', { role: 'admin' }).expect(200);
    await asAdmin('delete', '/sessions').expect(204);
    const [ended, role] = await trail.eventsOf(user.id);
    expect(ended).toMatchObject({
      event: 'sessions_ended_by_admin',
      actor_id: admin.user.id,
      details: { sessions: 1 },
    });
    expect(role).toMatchObject({
      event: 'role_changed',
      actor_id: admin.user.id,
      details: { role: 'admin' },
    });
    expect(await trail.namesOf(user.id)).toEqual(['registered', 'role_changed', 'sessions_ended_by_admin']);
  });

  test('is written if and only if the change is committed', async () => {
    const before = await shop.db.securityEvent.count();
    await post('register', { username: 'al', email: 'x', password: 'y' }).expect(400);
    await post('register', { ...admin.user, password: PASSWORD, role: undefined }).expect(400);
    await request(shop.app).delete('/api/users/2147483647').set('Authorization', admin.bearer).expect(404);
    await refresh(shop.app, 'garbage').expect(401);
    expect(await shop.db.securityEvent.count()).toBe(before);
  });
});
