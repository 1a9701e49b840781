import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import { createAttemptCounter } from '../src/passwords/attempt.counter.ts';
import { createCredentialUseCases } from '../src/passwords/credential.use-cases.ts';
import { createHashQueue } from '../src/passwords/hash-queue.ts';
import { createPasswordHasher } from '../src/passwords/password.hasher.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { PASSWORD, register } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const metrics = createMetrics('user-service');
const THREE = { max: 3, seconds: 900 };
const origin = { ip: '10.0.0.1', userAgent: null, requestId: null };
const hasherOfCost = (cost: number, maxWaiting: number) =>
  createPasswordHasher({
    pepper: 'shop/user-service/password',
    cost,
    queue: createHashQueue({ atOnce: 1, maxWaiting }),
  });

describe('while too many passwords are checked', () => {
  test('a refused sign-in is no failed one', async () => {
    const { user } = await register(shop.app);
    const failures = createAttemptCounter({ account: THREE, address: THREE, redis: shop.redis, metrics });
    const { logIn } = createCredentialUseCases({
      db: shop.db,
      hasher: hasherOfCost(4, 0),
      failures,
      audit: shop.audit,
    });
    const attempts = await Promise.allSettled([1, 2, 3].map(() => logIn(user.username, PASSWORD, origin)));
    const refused = attempts.filter((attempt) => attempt.status === 'rejected');
    expect(refused.map((attempt) => attempt.reason.code)).toEqual(['busy', 'busy']);
    for (let i = 0; i < 4; i += 1) await logIn(user.username, PASSWORD, origin);
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
      audit: shop.audit,
    });
    await expect(logIn(user.username, PASSWORD, origin)).resolves.toMatchObject({ userId: user.id });
  });
});
