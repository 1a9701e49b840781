import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase } from '@shop/service-kit/postgres/open-database';
import type { Query } from '@shop/service-kit/postgres/query';
import { until } from '@shop/service-kit/testing/until';
import { createPasswordHasher } from '../src/credentials/password.hasher.ts';
import { ensureFirstAdmin, keepFirstAdmin } from '../src/users/first-admin.ts';
import { logger, startTestShop, type TestShop } from './support/test-shop.ts';
import { logIn, register, registration } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
beforeEach(() => shop.db.user.updateMany({ data: { role: 'customer' } }));
afterAll(() => shop.close());

const hasher = createPasswordHasher({ pepper: 'shop/user-service/password', cost: 4 });
const ensure = (admin: ReturnType<typeof registration>) =>
  ensureFirstAdmin({ query: shop.query, change: shop.change, hasher, logger, admin });
const eventsOf = async (userId: number) =>
  (await shop.db.securityEvent.findMany({ where: { userId }, orderBy: { id: 'asc' } })).map(
    ({ event }) => event,
  );
const roleOf = async (username: string) =>
  (await shop.db.user.findFirstOrThrow({ where: { username }, select: { role: true } })).role;

describe('the first admin', () => {
  test('is created once by several replicas and starts', async () => {
    const admin = registration();
    await Promise.all([ensure(admin), ensure(admin), ensure(admin), ensure(admin)]);
    await ensure(admin);
    expect(await roleOf(admin.username)).toBe('admin');
    expect(await shop.db.user.count({ where: { role: 'admin' } })).toBe(1);
    await logIn(shop.app, admin.username);
    const made = await shop.db.user.findFirstOrThrow({ where: { username: admin.username } });
    expect(made.emailVerified).toBe(true);
    expect(await eventsOf(made.id)).toEqual(['registered', 'login_succeeded']);
  });

  test('is one even if several replicas with different names start at once', async () => {
    const admins = [1, 2, 3, 4].map(() => registration());
    await Promise.all(admins.map(ensure));
    expect(await shop.db.user.count({ where: { role: 'admin' } })).toBe(1);
    const names = admins.map(({ username }) => username);
    expect(await shop.db.user.count({ where: { username: { in: names } } })).toBe(1);
    await ensure(registration());
    expect(await shop.db.user.count({ where: { role: 'admin' } })).toBe(1);
  });

  test('is never an existing user with the same name or address', async () => {
    const { user } = await register(shop.app, { username: 'Boss' });
    for (const admin of [registration({ username: 'bOSS' }), registration({ email: user.email })]) {
      await ensure(admin as ReturnType<typeof registration>);
      expect(await roleOf('Boss')).toBe('customer');
      expect(await shop.db.user.count({ where: { role: 'admin' } })).toBe(0);
    }
    expect(await eventsOf(user.id)).toEqual(['registered']);
  });

  test('is not created while there is any admin, and not again after being renamed or demoted', async () => {
    const admin = registration();
    await ensure(admin);
    const where = { username: admin.username };
    await shop.db.user.updateMany({ where, data: { username: 'renamed', usernameKey: 'renamed' } });
    const outsider = await register(shop.app, { username: admin.username });
    await ensure(admin);
    expect(await roleOf(admin.username)).toBe('customer');
    await shop.db.user.update({ where: { id: outsider.user.id }, data: { role: 'admin' } });
    await shop.db.user.updateMany({ where: { username: 'renamed' }, data: { role: 'customer' } });
    await ensure(admin);
    expect(await roleOf('renamed')).toBe('customer');
  });

  test('is created as soon as the database is available', async () => {
    const admin = registration();
    const away = openDatabase('postgresql://nobody@127.0.0.1:1/none', 1, logger);
    let reached: Query = away.query;
    const query: Query = (strings, ...values) => reached(strings, ...values);
    const keeping = await keepFirstAdmin({ query, change: shop.change, hasher, logger, admin }, 50);
    expect(await shop.db.user.findFirst({ where: { username: admin.username } })).toBeNull();
    reached = shop.query;
    const made = () => shop.db.user.count({ where: { username: admin.username, role: 'admin' } });
    await until('the admin is there', async () => (await made()) === 1);
    keeping.close();
    await away.close();
  });
});
