import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import { connectTestRedis } from '@shop/service-kit/testing/test-redis';
import { createAttemptCounter } from '../src/passwords/attempt.counter.ts';
import { createCredentialUseCases } from '../src/passwords/credential.use-cases.ts';
import { createHashQueue } from '../src/passwords/hash-queue.ts';
import { createPasswordHasher } from '../src/passwords/password.hasher.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { until } from './support/until.ts';
import { PASSWORD, register } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const metrics = createMetrics('user-service');
const hasherOfCost = (cost: number, maxWaiting: number) =>
  createPasswordHasher({
    pepper: 'shop/user-service/password',
    cost,
    queue: createHashQueue({ atOnce: 1, maxWaiting }),
  });

describe('while too many passwords are checked', () => {
  test('a refused sign-in is no failed one', async () => {
    const { user } = await register(shop.app);
    const failures = createAttemptCounter({ max: 3, seconds: 900, redis: shop.redis, metrics });
    const { logIn } = createCredentialUseCases({ db: shop.db, hasher: hasherOfCost(4, 0), failures });
    const attempts = await Promise.allSettled([1, 2, 3].map(() => logIn(user.username, PASSWORD)));
    const refused = attempts.filter((attempt) => attempt.status === 'rejected');
    expect(refused.map((attempt) => attempt.reason.code)).toEqual(['busy', 'busy']);
    for (let i = 0; i < 4; i += 1) await logIn(user.username, PASSWORD);
  });

  test('a sign-in succeeds although there is no room to hash the password anew', async () => {
    const { user } = await register(shop.app);
    const hasher = hasherOfCost(5, 0);
    const failures = { take: async () => async () => undefined };
    const { logIn } = createCredentialUseCases({
      db: shop.db,
      // The one place is taken by the time the password was found to be right.
      hasher: { ...hasher, hash: () => Promise.all([hasher.hash('x'), hasher.hash('y')]).then(String) },
      failures,
    });
    await expect(logIn(user.username, PASSWORD)).resolves.toMatchObject({ userId: user.id });
  });
});

describe('failures', () => {
  test('are counted in memory while Redis is away, and in Redis when it is back', async () => {
    const redis = await connectTestRedis();
    const counter = createAttemptCounter({ max: 2, seconds: 900, redis, metrics });
    await counter.take('a');
    redis.client.disconnect();
    await until('Redis is away', async () => !redis.isReady(), 5000);
    const takeBack = await counter.take('a');
    await counter.take('a');
    await expect(counter.take('a')).rejects.toMatchObject({ status: 429, code: 'rate_limited' });
    await takeBack();
    await counter.take('a');
    await redis.client.connect();
    await until('Redis is back', async () => redis.isReady(), 5000);
    await counter.take('a');
    await expect(counter.take('a')).rejects.toMatchObject({ status: 429 });
    await redis.close();
  });

  test('of so many names do not fill the memory: the oldest are forgotten', async () => {
    const counter = createAttemptCounter({ max: 1, seconds: 900, redis: undefined, metrics });
    const takeBack = await counter.take('first');
    for (let i = 0; i < 10_000; i += 1) await counter.take(`name${i}`);
    await takeBack();
    await counter.take('first');
    await expect(counter.take('name9999')).rejects.toMatchObject({ status: 429 });
  });
});
