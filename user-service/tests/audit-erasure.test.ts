import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@shop/service-kit/testing/until';
import request, { type Response } from 'supertest';
import { createAuditTasks } from '../src/audit/audit.jobs.ts';
import { createAuditUseCases } from '../src/audit/audit.use-cases.ts';
import { auditTrail } from './support/audit-trail.ts';
import { logger, startTestShop, type TestShop } from './support/test-shop.ts';
import { me, PASSWORD, type Registered, register, registerAdmin } from './support/user.factory.ts';

let shop: TestShop;
let admin: Registered;
let trail: ReturnType<typeof auditTrail>;
beforeAll(async () => {
  shop = await startTestShop();
  admin = await registerAdmin(shop.app, shop.db);
  trail = auditTrail(shop.app, admin.bearer);
});
afterAll(() => shop.close());

const ORIGIN = { ip: '203.0.113.7', userAgent: 'Phone', requestId: null };
/** Whether a statement with this text waits for a lock. */
async function isWaiting(text: string): Promise<boolean> {
  const [row] = await shop.query<[{ waiting: boolean }]>`
    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                    AND query LIKE ${`%${text}%`}) AS waiting`;
  return row.waiting;
}
const logInWith = (username: string, password: string) =>
  request(shop.app).post('/api/users/login').send({ username, password });

describe('the remaining audit trail', () => {
  test('of a deleted user contains only the user id', async () => {
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
    await logInWith(user.username, 'wrong-password').expect(401);
    await until('it is recorded', async () => (await trail.namesOf(user.id)).includes('login_failed'));
    await logInWith(user.username, PASSWORD).expect(200);
    await request(shop.app).delete(`/api/users/${user.id}`).set('Authorization', admin.bearer).expect(200);
    await me(shop.app, bearer).expect(401);
    const events = await trail.eventsOf(user.id);
    expect(events.map(({ event, ip, user_agent }) => [event, ip !== null, user_agent])).toEqual([
      ['user_deleted', true, null],
      ['login_succeeded', false, null],
      ['login_failed', false, null],
      ['role_changed', true, 'admins browser'],
      ['registered', false, null],
    ]);
    expect(JSON.stringify(events)).not.toContain(user.username);
    const left = await Promise.all([
      shop.db.mailRequest.count({ where: { userId: user.id } }),
      shop.db.mailToken.count({ where: { userId: user.id } }),
    ]);
    expect(left).toEqual([0, 0]);
  });

  test('of users who delete themselves contains no address either', async () => {
    const { user, bearer } = await register(shop.app);
    await request(shop.app).delete(`/api/users/${user.id}`).set('Authorization', bearer).expect(200);
    const events = await trail.eventsOf(user.id);
    expect(events).toMatchObject([
      { event: 'user_deleted', ip: null, user_agent: null },
      { event: 'registered', ip: null, user_agent: null },
    ]);
  });

  test('contains no address of a wrong password that is recorded after the deletion', async () => {
    const { user, bearer } = await register(shop.app);
    await request(shop.app)
      .put('/api/users/me/password')
      .set({ Authorization: bearer, 'User-Agent': 'Phone' })
      .send({ current_password: 'wrong', new_password: 'another-password' })
      .expect(403);
    await logInWith(user.username, 'wrong-password').expect(401);
    await request(shop.app).delete(`/api/users/${user.id}`).set('Authorization', bearer).expect(200);
    await until('both are recorded', async () => (await trail.namesOf(user.id)).length === 4);
    const withOrigin = (await trail.eventsOf(user.id)).filter(({ ip, user_agent }) => ip ?? user_agent);
    expect(withOrigin).toEqual([]);
  });

  test('contains no address of a failed login that waits for the deletion', async () => {
    const { user } = await register(shop.app);
    const audit = createAuditUseCases({ unprepared: shop.query, logger });
    audit.noteFailure(user.id, ORIGIN);
    let recorded: Promise<void> | undefined;
    await shop.change([], async ({ query }) => {
      await query`DELETE FROM users WHERE id = ${user.id}`;
      recorded = audit.close();
      await until('the event waits', () => isWaiting('security_events'));
    });
    await recorded;
    const [last] = await trail.eventsOf(user.id);
    expect(last).toMatchObject({ event: 'login_failed', ip: null, user_agent: null });
  });

  test('contains no address of a logout that the deletion waits for', async () => {
    const { user, bearer } = await register(shop.app);
    let deletion: Promise<Response> | undefined;
    await shop.change([], async ({ query, record }) => {
      await query`SELECT id FROM sessions WHERE user_id = ${user.id} FOR UPDATE`;
      record({ event: 'logout', userId: user.id, actorId: user.id, origin: ORIGIN });
      deletion = Promise.resolve(
        request(shop.app).delete(`/api/users/${user.id}`).set('Authorization', bearer),
      );
      await until('the deletion waits', () => isWaiting('DELETE FROM sessions'));
    });
    expect((await deletion)?.status).toBe(200);
    const events = await trail.eventsOf(user.id);
    expect(events).toMatchObject([
      { event: 'user_deleted', ip: null },
      { event: 'logout', ip: null, user_agent: null },
      { event: 'registered', ip: null },
    ]);
  });

  test('of a user with very many events loses its addresses in a job', async () => {
    const { user, bearer } = await register(shop.app);
    await shop.db.$executeRaw`
      INSERT INTO security_events (event, user_id, actor_id, ip)
      SELECT 'login_succeeded', ${user.id}::int, ${user.id}::int, '203.0.113.7' FROM generate_series(1, 2500)`;
    await request(shop.app).delete(`/api/users/${user.id}`).set('Authorization', bearer).expect(200);
    const withAddress = () => shop.db.securityEvent.count({ where: { actorId: user.id, ip: { not: null } } });
    expect(await withAddress()).toBe(1501);
    const [job] = await shop.db.$queryRaw<{ payload: unknown }[]>`
      SELECT payload FROM graphile_worker._private_jobs WHERE payload->>'user_id' = ${String(user.id)}
       AND payload->>'kind' IS NULL`;
    const { signal } = new AbortController();
    await createAuditTasks(shop.query).forget_origins(job?.payload, signal);
    expect(await withAddress()).toBe(0);
    const stopped = createAuditTasks(shop.query).forget_origins(job?.payload, AbortSignal.abort());
    await expect(stopped).rejects.toThrow('aborted');
  });
});
