import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@shop/service-kit/testing/until';
import request from 'supertest';
import { mailedToken } from './support/mail-links.ts';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { PASSWORD, register } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const logInTo = (replica: Replica, body: object) => request(replica.app).post('/api/users/login').send(body);
const post = (body: object) => logInTo(shop, body);

describe('POST /api/users/login', () => {
  test('returns user and tokens for a username or an email, in any spelling', async () => {
    const { user } = await register(shop.app, { username: 'Ren\u00e9e', email: 'Ren\u00e9e@example.com' });
    for (const name of [
      { username: 'Ren\u00e9e' },
      { username: ' RENE\u0301E ' },
      { email: 'Ren\u00e9e@example.com' },
      { email: 'rene\u0301e@EXAMPLE.COM' },
      { username: 'ren\u00e9e@example.com' },
    ]) {
      const response = await post({ ...name, password: PASSWORD }).expect(200);
      expect(response.body).toEqual({
        message: 'Login successful',
        user,
        tokens: {
          access_token: expect.any(String),
          refresh_token: expect.any(String),
          token_type: 'Bearer',
          expires_in: 3600,
        },
      });
    }
  });

  test('returns the same response for a wrong password and an unknown name', async () => {
    const { user } = await register(shop.app);
    const wrong = await post({ username: user.username, password: 'wrong-password' }).expect(401);
    const unknown = await post({ username: 'nobody-at-all', password: 'wrong-password' }).expect(401);
    const unknownEmail = await post({ email: 'nobody@example.com', password: 'wrong-password' }).expect(401);
    expect(wrong.body).toMatchObject({ code: 'invalid_credentials', error: 'Invalid credentials' });
    expect(wrong.headers['www-authenticate']).toBe('Bearer');
    for (const response of [unknown, unknownEmail]) {
      expect({ ...response.body, request_id: '' }).toEqual({ ...wrong.body, request_id: '' });
      expect(Object.keys(response.headers)).toEqual(Object.keys(wrong.headers));
    }
  });

  test.each([null, '', '  \u2003'])('treats the name %j as absent', async (absent) => {
    const { user } = await register(shop.app);
    await post({ username: absent, email: user.email, password: PASSWORD }).expect(200);
    await post({ username: user.username, email: absent, password: PASSWORD }).expect(200);
    const neither = await post({ username: absent, email: absent, password: PASSWORD }).expect(400);
    expect(neither.body.errors).toEqual(['Username or email is required']);
  });

  test('reports all missing fields together', async () => {
    const empty = await post({}).expect(400);
    expect(empty.body.errors).toEqual(['Password is required', 'Username or email is required']);
    const noName = await post({ password: PASSWORD }).expect(400);
    expect(noName.body.errors).toEqual(['Username or email is required']);
    const emptyName = await post({ username: '', password: '' }).expect(400);
    expect(emptyName.body.errors).toEqual(['Password is required', 'Username or email is required']);
    const wrongPassword = await post({ password: 'a\0' }).expect(400);
    expect(wrongPassword.body.errors).toEqual([
      'Password contains characters that cannot be used',
      'Username or email is required',
    ]);
    const noPassword = await post({ email: 'a@example.com' }).expect(400);
    expect(noPassword.body.errors).toEqual(['Password is required']);
  });

  test('rehashes the password if the cost was raised, and keeps sessions', async () => {
    const { user, tokens } = await register(shop.app);
    const costly = await shop.startReplica({ env: { BCRYPT_COST: '5' } });
    await logInTo(costly, { username: user.username, password: PASSWORD }).expect(200);
    const row = await shop.db.user.findUniqueOrThrow({ where: { id: user.id } });
    expect(row.passwordHash).toMatch(/^\$2b\$05\$/);
    expect(row.passwordVersion).toBe(1);
    await post({ username: user.username, password: PASSWORD }).expect(200);
    await request(shop.app)
      .post('/api/users/refresh')
      .send({ refresh_token: tokens.refresh_token })
      .expect(200);
    const after = await shop.db.user.findUniqueOrThrow({ where: { id: user.id } });
    expect(after.passwordHash).toBe(row.passwordHash);
  });

  test('is refused if the password was changed after it was compared', async () => {
    const { user } = await register(shop.app);
    const isWaiting = async () => {
      const waiting = await shop.db.$queryRaw<unknown[]>`
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return waiting.length === 1;
    };
    const { login } = await shop.db.$transaction(async (change) => {
      await change.$executeRaw`UPDATE users SET password_version = 2 WHERE id = ${user.id}`;
      const login = post({ username: user.username, password: PASSWORD }).then();
      await until('the login waits for the change', isWaiting);
      return { login };
    });
    const { status, body } = await login;
    expect([status, body.code]).toEqual([401, 'invalid_credentials']);
  });
});

describe('failed logins of one account', () => {
  const env = { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_LOGIN: '1000/60', RATE_LIMIT_REGISTER: '1000/60' };

  test('are counted together for name and email in every spelling; at the limit the correct password is refused too', async () => {
    const limited = await shop.startReplica({ env: { ...env, RATE_LIMIT_LOGIN_FAILURES: '4/900' } });
    const { user, bearer } = await register(limited.app, {
      username: 'Counted',
      email: 'Counted@example.com',
    });
    const spellings = [
      { username: 'counted' },
      { email: 'COUNTED@example.com' },
      { username: 'ｃounted' },
      { username: 'counted@EXAMPLE.com' },
    ];
    // A successful login in between neither counts nor resets the count.
    await logInTo(limited, { username: user.username, password: PASSWORD }).expect(200);
    for (const name of spellings) await logInTo(limited, { ...name, password: 'wrong' }).expect(401);
    for (const name of spellings) {
      const response = await logInTo(limited, { ...name, password: PASSWORD }).expect(429);
      expect(response.body.code).toBe('rate_limited');
      expect(Number(response.headers['retry-after'])).toBeGreaterThan(890);
      expect(Number(response.headers['retry-after'])).toBeLessThanOrEqual(900);
    }
    const locked = () =>
      shop.db.securityEvent.findMany({ where: { event: 'login_locked', userId: user.id } });
    await until('the refusals are in the audit trail', async () => (await locked()).length > 0);
    // Attempts by others do not stop a signed-in owner, whose failures are counted separately.
    const change = (current_password: string) =>
      request(limited.app)
        .put('/api/users/me/password')
        .set('Authorization', bearer)
        .send({ current_password, new_password: 'another-password' });
    for (let i = 0; i < 3; i += 1) await change('wrong').expect(403);
    await change(PASSWORD).expect(200);
    // A mailed reset lifts the lock.
    await logInTo(limited, { username: user.username, password: 'another-password' }).expect(429);
    const token = await mailedToken(shop.db, user, 'reset_password');
    await request(limited.app)
      .post('/api/users/password-reset/confirm')
      .send({ token, new_password: 'reset-password' })
      .expect(200);
    await logInTo(limited, { username: user.username, password: 'reset-password' }).expect(200);
  });

  test('are counted for unknown names in the same way', async () => {
    const limited = await shop.startReplica({ env: { ...env, RATE_LIMIT_LOGIN_FAILURES: '3/900' } });
    const body = { username: 'No-Such-User', password: 'wrong-password' };
    for (let i = 0; i < 3; i += 1) await logInTo(limited, body).expect(401);
    await logInTo(limited, { ...body, username: 'no-such-user' }).expect(429);
    await logInTo(limited, { ...body, username: 'another-one' }).expect(401);
  });

  test('have the same limit for concurrent attempts on several replicas', async () => {
    const limits = { env: { ...env, RATE_LIMIT_LOGIN_FAILURES: '5/900' } };
    const replicas = await Promise.all([shop.startReplica(limits), shop.startReplica(limits)]);
    const { user } = await register(shop.app);
    const attempts = Array.from({ length: 20 }, (_, i) => replicas[i % 2] ?? shop).map((replica) =>
      logInTo(replica, { username: user.username, password: 'wrong-password' }),
    );
    const statuses = (await Promise.all(attempts)).map((response) => response.status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(15);
  });

  test('are counted for the address over all accounts, without revealing which limit is reached', async () => {
    const limited = await shop.startReplica({
      env: {
        ...env,
        TRUST_PROXY: '1',
        RATE_LIMIT_LOGIN_FAILURES: '4/900',
        RATE_LIMIT_LOGIN_FAILURES_ADDRESS: '6/900',
      },
    });
    const { user } = await register(limited.app);
    const from = (address: string, body: object) => logInTo(limited, body).set('X-Forwarded-For', address);
    const wrong = (username: string) => from('2001:db8::1', { username, password: 'wrong-password' });
    for (let i = 0; i < 4; i += 1) await wrong('sprayed').expect(401);
    const byAccount = await wrong('sprayed').expect(429);
    await wrong('sprayed-too').expect(401);
    await wrong('sprayed-as-well').expect(401);
    const right = { username: user.username, password: PASSWORD };
    const byAddress = await from('2001:db8::2', right).expect(429);
    expect({ ...byAddress.body, request_id: '' }).toEqual({ ...byAccount.body, request_id: '' });
    expect(Object.keys(byAddress.headers)).toEqual(Object.keys(byAccount.headers));
    await from('2001:db8:0:1::1', right).expect(200);
  });

  test('are not counted if the password could not be compared', async () => {
    const limited = await shop.startReplica({ env: { ...env, RATE_LIMIT_LOGIN_FAILURES: '2/900' } });
    const { user } = await register(limited.app);
    const { passwordHash } = await shop.db.user.findUniqueOrThrow({ where: { id: user.id } });
    const store = (hash: string) =>
      shop.db.user.update({ where: { id: user.id }, data: { passwordHash: hash } });
    const right = { username: user.username, password: PASSWORD };
    await store('not a hash');
    for (let i = 0; i < 3; i += 1) await logInTo(limited, right).expect(500);
    await store(passwordHash);
    await logInTo(limited, right).expect(200);
  });

  test('are counted in memory without Redis', async () => {
    const limited = await shop.startReplica({
      redis: false,
      env: { ...env, RATE_LIMIT_LOGIN_FAILURES: '2/900' },
    });
    const { user } = await register(limited.app);
    const wrong = { username: user.username, password: 'wrong-password' };
    await logInTo(limited, { ...wrong, password: PASSWORD }).expect(200);
    await logInTo(limited, wrong).expect(401);
    await logInTo(limited, wrong).expect(401);
    const response = await logInTo(limited, { ...wrong, password: PASSWORD }).expect(429);
    expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(response.headers['retry-after'])).toBeLessThanOrEqual(900);
  });
});
