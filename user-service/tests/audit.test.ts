import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import request from 'supertest';
import { createAuditUseCases } from '../src/audit/audit.use-cases.ts';
import { mailedToken } from './support/mail-links.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { until } from './support/until.ts';
import {
  logIn,
  me,
  PASSWORD,
  type Registered,
  refresh,
  register,
  registerAdmin,
} from './support/user.factory.ts';

let shop: TestShop;
let admin: Registered;
beforeAll(async () => {
  shop = await startTestShop();
  admin = await registerAdmin(shop.app, shop.db);
});
afterAll(() => shop.close());

interface EventJson {
  id: number;
  event: string;
  user_id: number | null;
  actor_id: number | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  details: Record<string, unknown>;
  created_at: string;
}

const list = async (query: string) => {
  const answer = await request(shop.app)
    .get(`/api/users/audit?${query}`)
    .set('Authorization', admin.bearer)
    .expect(200);
  return answer.body as {
    events: EventJson[];
    total: number;
    next_cursor: string | null;
    [name: string]: unknown;
  };
};
const eventsOf = async (userId: number) => (await list(`user_id=${userId}&per_page=100`)).events;
/** Names of what happened to a user, oldest first. */
const namesOf = async (userId: number) => (await eventsOf(userId)).map(({ event }) => event).reverse();
const post = (path: string, body: object, bearer = '') =>
  request(shop.app)
    .post(`/api/users/${path}`)
    .set(bearer === '' ? {} : { Authorization: bearer })
    .send(body);

describe('the audit trail', () => {
  test('tells who did what, to whom and from where', async () => {
    const { user } = await register(shop.app);
    await request(shop.app)
      .post('/api/users/login')
      .set({ 'User-Agent': `Phone ${'x'.repeat(500)}`, 'X-Request-Id': 'seen-in.the-log' })
      .send({ username: user.username, password: PASSWORD })
      .expect(200);
    const [login, registered] = await eventsOf(user.id);
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

  test('has the sign-ins and their ends', async () => {
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
    expect(await namesOf(user.id)).toEqual([
      'registered',
      'logout',
      'login_succeeded',
      'login_succeeded',
      'session_ended',
      'token_reused',
      'login_succeeded',
      'logout_all',
    ]);
  });

  test('has what happened to password and address', async () => {
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
    expect(await namesOf(user.id)).toEqual([
      'registered',
      'password_changed',
      'email_changed',
      'email_verified',
      'password_reset_asked',
      'password_reset',
    ]);
  });

  test('has what admins do to others', async () => {
    const { user } = await register(shop.app);
    const asAdmin = (method: 'put' | 'delete', path: string, body?: object) =>
      request(shop.app)[method](`/api/users/${user.id}${path}`).set('Authorization', admin.bearer).send(body);
    await asAdmin('put', '/role', { role: 'admin' }).expect(200);
    await asAdmin('put', '/role', { role: 'admin' }).expect(200);
    await asAdmin('delete', '/sessions').expect(204);
    const [ended, role] = await eventsOf(user.id);
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
    expect(await namesOf(user.id)).toEqual(['registered', 'role_changed', 'sessions_ended_by_admin']);
  });

  test('is written if and only if the thing was done', async () => {
    const before = await shop.db.securityEvent.count();
    await post('register', { username: 'al', email: 'x', password: 'y' }).expect(400);
    await post('register', { ...admin.user, password: PASSWORD, role: undefined }).expect(400);
    await request(shop.app).delete('/api/users/2147483647').set('Authorization', admin.bearer).expect(404);
    await refresh(shop.app, 'garbage').expect(401);
    expect(await shop.db.securityEvent.count()).toBe(before);
  });
});

describe('failed sign-ins', () => {
  const fail = (username: string) => post('login', { username, password: 'wrong-password' }).expect(401);

  test('are one event for each account and address in a moment, with their number', async () => {
    const { user } = await register(shop.app);
    for (let i = 0; i < 5; i += 1) await fail(user.username);
    const failed = async () => (await eventsOf(user.id)).filter(({ event }) => event === 'login_failed');
    const attempts = async () =>
      (await failed()).reduce((sum, { details }) => sum + Number(details['attempts']), 0);
    await until('all are told', async () => (await attempts()) === 5, 5000);
    expect((await failed()).length).toBeLessThanOrEqual(2 + 5);
    expect((await failed())[0]).toMatchObject({ actor_id: null, ip: expect.stringContaining('127.0.0.1') });
  });

  test('with unknown names are told too, but not the names', async () => {
    await fail('a-name-that-is-a-password');
    const told = async () => (await list('event=login_failed&per_page=100')).events;
    await until('it is told', async () => (await told()).some(({ user_id }) => user_id === null), 5000);
    expect(JSON.stringify(await told())).not.toContain('a-name-that');
  });

  test('are no more than 201 events in a moment, however many they are; a stop writes them', async () => {
    const audit = createAuditUseCases({ db: shop.db, logger: pino({ level: 'silent' }) });
    const before = await shop.db.securityEvent.count();
    for (let i = 0; i < 1000; i += 1) {
      audit.noteFailedLogin(undefined, { ip: `10.0.${i >> 8}.${i & 255}`, userAgent: null, requestId: null });
    }
    await audit.close();
    expect(await shop.db.securityEvent.count()).toBe(before + 201);
    const [others] = (await list('event=login_failed')).events.filter(({ ip }) => ip === null);
    expect(others).toMatchObject({ ip: null, details: { attempts: 800 } });
  });

  test('that cannot be written are told in the log', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const db = { securityEvent: { createMany: () => Promise.reject(new Error('database is away')) } };
    const audit = createAuditUseCases({ db: db as unknown as typeof shop.db, logger });
    audit.noteFailedLogin(1, { ip: null, userAgent: null, requestId: null });
    await audit.close();
    expect(lines.join()).toContain('failed sign-ins are missing in the audit trail');
  });
});

describe('GET /api/users/audit', () => {
  test('is for admins', async () => {
    const { bearer } = await register(shop.app);
    await request(shop.app).get('/api/users/audit').expect(401);
    await request(shop.app).get('/api/users/audit').set('Authorization', bearer).expect(403);
  });

  test('pages by number and by cursor, newest first', async () => {
    const { user } = await register(shop.app);
    for (let i = 0; i < 4; i += 1) await logIn(shop.app, user.username);
    const all = await eventsOf(user.id);
    expect(all.map(({ event }) => event)).toEqual([...Array(4).fill('login_succeeded'), 'registered']);
    const first = await list(`user_id=${user.id}&per_page=2`);
    expect(first).toMatchObject({ total: 5, total_is_estimate: false, page: 1, pages: 3, per_page: 2 });
    const second = await list(`user_id=${user.id}&per_page=2&cursor=${first.next_cursor}`);
    const byNumber = await list(`user_id=${user.id}&per_page=2&page=2`);
    expect(second.events).toEqual(byNumber.events);
    expect([...first.events, ...second.events]).toEqual(all.slice(0, 4));
  });

  test('filters by event and time', async () => {
    const { user } = await register(shop.app);
    await logIn(shop.app, user.username);
    const old = new Date('2020-01-02T03:04:05.678Z');
    await shop.db.securityEvent.updateMany({
      where: { userId: user.id, event: 'registered' },
      data: { createdAt: old },
    });
    const names = async (query: string) =>
      (await list(`user_id=${user.id}&${query}`)).events.map(({ event }) => event);
    expect(await names('event=registered')).toEqual(['registered']);
    expect(await names('to=2020-12-31')).toEqual(['registered']);
    expect(await names('from=2021-01-01')).toEqual(['login_succeeded']);
    expect(await names('from=2020-01-02T03:04:05.678Z&to=2020-01-02T03:04:05.678Z')).toEqual(['registered']);
    expect(await names('event=logout')).toEqual([]);
  });

  test('counts up to 10,000', async () => {
    await shop.db.$executeRaw`
      INSERT INTO security_events (event, user_id, created_at)
      SELECT 'logout', 2147483000, now() - make_interval(secs => i) FROM generate_series(1, 10050) AS i`;
    expect(await list('user_id=2147483000')).toMatchObject({ total: 10_000, total_is_estimate: true });
  });

  test.each<[string, object, string]>([
    ['user_id', { user_id: 1 }, 'security_events_user_id_created_at_id_idx'],
    ['event', { event: 'user_deleted' }, 'security_events_event_created_at_id_idx'],
    ['time', { from: new Date('2020-01-02') }, 'security_events_created_at_id_idx'],
  ])('reads by %s through an index, in order', async (_what, filter, index) => {
    await shop.db.$executeRaw`ANALYZE security_events`;
    const plans = await shop.db.$transaction(async (tx) => {
      const [column, value] = Object.entries(filter)[0] ?? [];
      const condition =
        column === 'from' ? `created_at >= '${value.toISOString()}'` : `${column} = '${value}'`;
      return tx.$queryRawUnsafe<object[]>(
        `EXPLAIN SELECT * FROM security_events WHERE ${condition} ORDER BY created_at DESC, id DESC LIMIT 21`,
      );
    });
    const plan = JSON.stringify(plans);
    expect(plan).toContain(index);
    expect(plan).not.toContain('Sort');
  });

  test.each([
    'event=nonsense',
    'user_id=0',
    'user_id=abc',
    'from=yesterday',
    'from=2021-01-01&to=2020-01-01',
    'page=0',
    'cursor=x',
    'from=2020-01-01&from=2020-01-02',
    'from=0000-01-01',
    'from=0001-01-01T00:00:00%2B14:00',
  ])('answers 400 for %s', async (query) => {
    await request(shop.app).get(`/api/users/audit?${query}`).set('Authorization', admin.bearer).expect(400);
  });

  test.each(['from=0001-01-01', 'to=9999-12-31T23:59:59-12:00'])('takes the far time %s', async (query) => {
    await request(shop.app).get(`/api/users/audit?${query}`).set('Authorization', admin.bearer).expect(200);
  });
});

describe('what the trail keeps', () => {
  test('of a deleted user is the bare id', async () => {
    const { user, bearer } = await register(shop.app);
    await request(shop.app)
      .put(`/api/users/${user.id}/role`)
      .set({ Authorization: admin.bearer, 'User-Agent': 'admins browser' })
      .send({ role: 'customer' })
      .expect(200);
    await request(shop.app)
      .put(`/api/users/${user.id}/role`)
      .set({ Authorization: admin.bearer, 'User-Agent': 'admins browser' })
      .send({ role: 'admin' })
      .expect(200);
    await post('login', { username: user.username, password: 'wrong-password' }).expect(401);
    await until('it is told', async () => (await namesOf(user.id)).includes('login_failed'), 5000);
    await post('login', { username: user.username, password: PASSWORD }).expect(200);
    await request(shop.app).delete(`/api/users/${user.id}`).set('Authorization', admin.bearer).expect(200);
    await me(shop.app, bearer).expect(401);
    const events = await eventsOf(user.id);
    expect(events.map(({ event, ip, user_agent }) => [event, ip !== null, user_agent])).toEqual([
      ['user_deleted', true, null],
      ['login_succeeded', false, null],
      ['login_failed', false, null],
      ['role_changed', true, 'admins browser'],
      ['registered', false, null],
    ]);
    expect(JSON.stringify(events)).not.toContain(user.username);
    const left = await Promise.all([
      shop.db.mail.count({ where: { userId: user.id } }),
      shop.db.mailToken.count({ where: { userId: user.id } }),
    ]);
    expect(left).toEqual([0, 0]);
  });

  test('of a user who deletes himself is no address either', async () => {
    const { user, bearer } = await register(shop.app);
    await request(shop.app).delete(`/api/users/${user.id}`).set('Authorization', bearer).expect(200);
    const events = await eventsOf(user.id);
    expect(events).toMatchObject([
      { event: 'user_deleted', ip: null, user_agent: null },
      { event: 'registered', ip: null, user_agent: null },
    ]);
  });

  test('is not kept for ever', async () => {
    const { user } = await register(shop.app);
    await logIn(shop.app, user.username);
    const old = new Date(Date.now() - 366 * 86_400_000);
    const where = { userId: user.id, event: 'registered' };
    await shop.db.securityEvent.updateMany({ where, data: { createdAt: old } });
    await shop.audit.removeOld(367);
    expect(await namesOf(user.id)).toEqual(['registered', 'login_succeeded']);
    await shop.audit.removeOld(365);
    expect(await namesOf(user.id)).toEqual(['login_succeeded']);
  });
});

describe('DELETE /api/users/:id/sessions', () => {
  const end = (id: number | string, bearer: string) =>
    request(shop.app).delete(`/api/users/${id}/sessions`).set('Authorization', bearer);

  test('ends every session of the user, everywhere', async () => {
    const replica = await shop.startReplica();
    const { user, tokens, bearer } = await register(shop.app);
    const other = await logIn(shop.app, user.username);
    await end(user.id, admin.bearer).expect(204);
    for (const token of [bearer, `Bearer ${other.access_token}`]) {
      await me(shop.app, token).expect(401);
      await until('others refuse it', async () => (await me(replica.app, token)).status === 401, 5000);
    }
    await refresh(shop.app, tokens.refresh_token).expect(401);
    await logIn(shop.app, user.username);
  });

  test('is for admins', async () => {
    const { user, bearer } = await register(shop.app);
    await end(user.id, bearer).expect(403);
    const unknown = await end(2147483647, admin.bearer).expect(404);
    expect(unknown.body.code).toBe('user_not_found');
    await end('x', admin.bearer).expect(400);
    await me(shop.app, bearer).expect(200);
  });
});
