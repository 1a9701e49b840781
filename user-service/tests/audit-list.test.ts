import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { auditTrail } from './support/audit-trail.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { logIn, register, registerAdmin } from './support/user.factory.ts';

let shop: TestShop;
let trail: ReturnType<typeof auditTrail>;
beforeAll(async () => {
  shop = await startTestShop();
  const admin = await registerAdmin(shop.app, shop.db);
  trail = auditTrail(shop.app, admin.bearer);
});
afterAll(() => shop.close());

describe('GET /api/users/audit', () => {
  test('is for admins', async () => {
    const { bearer } = await register(shop.app);
    await request(shop.app).get('/api/users/audit').expect(401);
    await request(shop.app).get('/api/users/audit').set('Authorization', bearer).expect(403);
  });

  test('pages by number and by cursor, newest first', async () => {
    const { user } = await register(shop.app);
    for (let i = 0; i < 4; i += 1) await logIn(shop.app, user.username);
    const all = await trail.eventsOf(user.id);
    expect(all.map(({ event }) => event)).toEqual([...Array(4).fill('login_succeeded'), 'registered']);
    const first = await trail.list(`user_id=${user.id}&per_page=2`);
    expect(first).toMatchObject({ total: 5, total_is_estimate: false, page: 1, pages: 3, per_page: 2 });
    const second = await trail.list(`user_id=${user.id}&per_page=2&cursor=${first.next_cursor}`);
    const byNumber = await trail.list(`user_id=${user.id}&per_page=2&page=2`);
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
      (await trail.list(`user_id=${user.id}&${query}`)).events.map(({ event }) => event);
    expect(await names('event=registered')).toEqual(['registered']);
    expect(await names('to=2020-12-31')).toEqual(['registered']);
    expect(await names('from=2021-01-01')).toEqual(['login_succeeded']);
    expect(await names('from=2020-01-02T03:04:05.678Z&to=2020-01-02T03:04:05.678Z')).toEqual(['registered']);
    expect(await names('event=logout')).toEqual([]);
  });

  test('counts up to the row behind the last page', async () => {
    await shop.db.$executeRaw`
      INSERT INTO security_events (event, user_id, created_at)
      SELECT 'logout', 2147483000, now() - make_interval(secs => i) FROM generate_series(1, 10050) AS i`;
    expect(await trail.list('user_id=2147483000&per_page=100')).toMatchObject({
      ...{ total: 10_001, total_is_estimate: true },
      ...{ pages: 100, pages_capped: true },
    });
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
  ])('responds 400 for %s', async (query) => {
    await trail.get(query).expect(400);
  });

  test.each<[string, [string, number], number]>([
    ['the year 0', ['0000-01-01T00:00:00.000Z', 1], 400],
    ['the year 1', ['0001-01-01T00:00:00.000Z', 1], 200],
    ['an id beyond int32', ['2026-01-01T00:00:00.000Z', 2 ** 31], 200],
    ['an id of 53 bits', ['2026-01-01T00:00:00.000Z', 2 ** 53 - 1], 200],
    ['an id beyond 53 bits', ['2026-01-01T00:00:00.000Z', 2 ** 53], 400],
    ['300 digits of a second', [`2026-01-01T00:00:00.${'0'.repeat(300)}Z`, 1], 400],
  ])('responds to a forged cursor with %s', async (_what, key, status) => {
    const cursor = Buffer.from(JSON.stringify(key)).toString('base64url');
    await trail.get(`cursor=${cursor}`).expect(status);
  });

  test.each(['from=0001-01-01', 'to=9999-12-31T23:59:59-12:00'])('takes the far time %s', async (query) => {
    await trail.get(query).expect(200);
  });
});
