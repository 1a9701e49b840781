import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { withinTime } from '@shop/service-kit/deadline/deadline';
import { openDatabase } from '@shop/service-kit/postgres/open-database';
import { until } from '@shop/service-kit/testing/until';
import { pino } from 'pino';
import request from 'supertest';
import { createAuditUseCases } from '../src/audit/audit.use-cases.ts';
import { auditTrail } from './support/audit-trail.ts';
import { logger, startTestShop, type TestShop } from './support/test-shop.ts';
import { register, registerAdmin } from './support/user.factory.ts';

let shop: TestShop;
let trail: ReturnType<typeof auditTrail>;
beforeAll(async () => {
  shop = await startTestShop();
  const admin = await registerAdmin(shop.app, shop.db);
  trail = auditTrail(shop.app, admin.bearer);
});
afterAll(() => shop.close());

describe('failed logins in the audit trail', () => {
  const fail = (username: string) =>
    request(shop.app).post('/api/users/login').send({ username, password: 'wrong-password' }).expect(401);

  test('are grouped into one event for each account and address, with their number', async () => {
    const { user } = await register(shop.app);
    for (let i = 0; i < 5; i += 1) await fail(user.username);
    const failed = async () =>
      (await trail.eventsOf(user.id)).filter(({ event }) => event === 'login_failed');
    const attempts = async () =>
      (await failed()).reduce((sum, { details }) => sum + Number(details['attempts']), 0);
    await until('all are recorded', async () => (await attempts()) === 5);
    expect((await failed()).length).toBeLessThanOrEqual(2 + 5);
    expect((await failed())[0]).toMatchObject({ actor_id: null, ip: expect.stringContaining('127.0.0.1') });
  });

  test('with unknown names are recorded without the names', async () => {
    await fail('a-name-that-is-a-password');
    const recorded = async () => (await trail.list('event=login_failed&per_page=100')).events;
    await until(
      'it is recorded',
      async () => (await recorded()).some(({ user_id }) => user_id === null),
      5000,
    );
    expect(JSON.stringify(await recorded())).not.toContain('a-name-that');
  });

  test('are limited to 201 events per interval; a stop writes pending ones', async () => {
    const audit = createAuditUseCases({ unprepared: shop.query, logger });
    const before = await shop.db.securityEvent.count();
    for (let i = 0; i < 1000; i += 1) {
      audit.noteFailure(undefined, { ip: `10.0.${i >> 8}.${i & 255}`, userAgent: null, requestId: null });
    }
    await audit.close();
    expect(await shop.db.securityEvent.count()).toBe(before + 201);
    const [others] = (await trail.list('event=login_failed')).events.filter(({ ip }) => ip === null);
    expect(others).toMatchObject({ ip: null, details: { attempts: 800 } });
  });

  test('are written also if the first of them comes from a request without time left', async () => {
    const audit = createAuditUseCases({ unprepared: shop.query, logger });
    const fromAddress = () => shop.db.securityEvent.count({ where: { ip: '192.0.2.1' } });
    const origin = { ip: '192.0.2.1', userAgent: null, requestId: null };
    withinTime(1, () => audit.noteFailure(undefined, origin));
    await until('it is recorded', async () => (await fromAddress()) === 1);
    await audit.close();
  });

  test('that cannot be written are reported in the log', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
    const away = openDatabase('postgresql://nobody@127.0.0.1:1/none', 1, logger);
    const audit = createAuditUseCases({ unprepared: away.unprepared, logger });
    audit.noteFailure(1, { ip: null, userAgent: null, requestId: null });
    await audit.close();
    await away.close();
    expect(lines.join()).toContain('failed logins are missing in the audit trail');
  });
});
