import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { openDatabase } from '@shop/service-kit/postgres/open-database';
import { createRevocations, type Revocations } from '@shop/service-kit/redis/revocations';
import { connectTestRedis } from '@shop/service-kit/testing/test-redis';
import request from 'supertest';
import { PrismaClient } from '../src/generated/prisma/client.ts';
import { startSessionUpkeep } from '../src/sessions/session.upkeep.ts';
import { logger, startTestShop, type TestShop } from './support/test-shop.ts';
import { until } from './support/until.ts';
import { me, register } from './support/user.factory.ts';

let shop: TestShop;
const closing: (() => void)[] = [];
beforeAll(async () => {
  shop = await startTestShop();
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
});
afterAll(() => shop.close());

const HOUR = 3_600_000;
const now = () => Date.now() / 1000;
const sessionOf = async (userId: number) =>
  (await shop.db.session.findFirstOrThrow({ where: { userId } })).id;
const logOut = (bearer: string) =>
  request(shop.app).post('/api/users/logout').set('Authorization', bearer).expect(204);
/** What a process knows that reads Redis only. */
const reader = (): Revocations => {
  const revocations = createRevocations({ redis: shop.redis, logger, tokenLifetime: 3600 });
  closing.push(() => revocations.close());
  return revocations;
};
const startUpkeep = async (options: Partial<Parameters<typeof startSessionUpkeep>[0]> = {}) => {
  const parts = { db: shop.db, redis: shop.redis, revocations: shop.revocations, logger, ...options };
  const upkeep = await startSessionUpkeep({ restoreInterval: 50, sweepInterval: HOUR, ...parts });
  closing.push(() => upkeep.close());
};
const forgetAll = async () => {
  const keys = await shop.redis.client.keys(`${shop.redis.prefix}*`);
  if (keys.length > 0) await shop.redis.client.del(keys);
};

describe('revocations', () => {
  test('are known to a process that starts later, also without Redis', async () => {
    const { user, bearer } = await register(shop.app);
    await logOut(bearer);
    const fresh = createRevocations({ redis: undefined, logger, tokenLifetime: 3600 });
    closing.push(() => fresh.close());
    expect(fresh.isRevoked(await sessionOf(user.id), now() - 60)).toBe(false);
    await startUpkeep({ redis: undefined, revocations: fresh });
    expect(fresh.isRevoked(await sessionOf(user.id), now() - 60)).toBe(true);
  });

  test('come back after Redis has lost everything', async () => {
    const { user, bearer } = await register(shop.app);
    await logOut(bearer);
    await startUpkeep();
    await forgetAll();
    const fresh = reader();
    const id = await sessionOf(user.id);
    await until('another process knows it again', async () => fresh.isRevoked(id, now() - 60), 5000);
  });

  test('come back when Redis does', async () => {
    const { user, bearer } = await register(shop.app);
    const redis = await connectTestRedis();
    const own = createRevocations({ redis, logger, tokenLifetime: 3600 });
    closing.push(
      () => own.close(),
      () => void redis.close(),
    );
    await startUpkeep({ redis, revocations: own, restoreInterval: HOUR });
    redis.client.disconnect();
    await until('Redis is away', async () => !redis.isReady(), 5000);
    await logOut(bearer);
    await redis.client.connect();
    const id = await sessionOf(user.id);
    await until('it is known', async () => own.isRevoked(id, now() - 60), 5000);
  });

  test('keep their time: tokens made after a change of role stay good', async () => {
    const { user, bearer } = await register(shop.app);
    const at = new Date(Date.now() - 60_000);
    await shop.db.session.updateMany({ where: { userId: user.id }, data: { tokensVoidBefore: at } });
    await startUpkeep();
    await me(shop.app, bearer).expect(200);
    expect(shop.revocations.isRevoked(await sessionOf(user.id), now() - 120)).toBe(true);
  });

  test('are brought back as soon as the database can be reached', async () => {
    const { user, bearer } = await register(shop.app);
    await logOut(bearer);
    const away = new PrismaClient({
      adapter: openDatabase('postgresql://nobody@127.0.0.1:1/none', 1, logger).adapter,
    });
    let database = away;
    const db = new Proxy({} as PrismaClient, {
      get: (_target, name: keyof PrismaClient) => database[name],
    });
    const fresh = createRevocations({ redis: undefined, logger, tokenLifetime: 3600 });
    closing.push(() => fresh.close());
    await startUpkeep({ db, redis: undefined, revocations: fresh });
    const id = await sessionOf(user.id);
    expect(fresh.isRevoked(id, now() - 60)).toBe(false);
    database = shop.db;
    await until('it is known', async () => fresh.isRevoked(id, now() - 60), 5000);
    await away.$disconnect();
  });
});

describe('old sessions', () => {
  test('are removed a day after their end', async () => {
    const [ended, expired, living] = await Promise.all([1, 2, 3].map(() => register(shop.app)));
    const old = new Date(Date.now() - 25 * HOUR);
    await shop.db.session.updateMany({ where: { userId: ended?.user.id ?? 0 }, data: { endedAt: old } });
    await shop.db.session.updateMany({ where: { userId: expired?.user.id ?? 0 }, data: { expiresAt: old } });
    let swept = 0;
    await startUpkeep({ sweepInterval: 20, sweeps: [async () => (swept += 1)] });
    const left = (who: typeof ended) => shop.db.session.count({ where: { userId: who?.user.id ?? 0 } });
    await until('both are gone', async () => (await left(ended)) + (await left(expired)) === 0, 5000);
    expect(await left(living)).toBe(1);
    expect(swept).toBeGreaterThan(0);
  });
});
