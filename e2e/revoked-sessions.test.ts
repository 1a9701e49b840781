import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RedisProcess, startRedisProcess } from '@shop/service-kit/testing/redis-process';
import { call } from './support/http.ts';
import { until } from './support/process.ts';
import { type Stack, startStack } from './support/stack.ts';

/** The 5 s of docs/http-api.md; more on a busy test machine. */
const SOON = 15_000;

let redis: RedisProcess;
let stack: Stack;
beforeAll(async () => {
  redis = await startRedisProcess();
  stack = await startStack({ redisUrl: redis.url });
});
afterAll(async () => {
  await stack.close();
  await redis.kill();
});

let named = 0;
async function register(): Promise<string> {
  named += 1;
  const name = `ended-${process.pid}-${named}`;
  const body = { username: name, email: `${name}@example.com`, password: 'securepass123' };
  const response = await call('POST', `${stack.user.url}/api/users/register`, body);
  return String(response.body['tokens']?.['access_token']);
}
/** The status that each service returns for the token. */
const statuses = async (token: string) => {
  const calls = [
    call('GET', `${stack.user.url}/api/users/me`, undefined, { token }),
    call('POST', `${stack.product.url}/api/products`, { name: 'A thing', price: 1 }, { token }),
    call('GET', `${stack.order.url}/api/orders`, undefined, { token }),
  ];
  return (await Promise.all(calls)).map(({ status }) => status);
};
/** A busy machine may return 503 for a moment; a refused token stays refused. */
const isGood = (token: string) =>
  until('every service takes it', async () => String(await statuses(token)) === '200,201,200', SOON);
/** Signs in and out, and waits until no service accepts the token. */
async function logOutEverywhere() {
  const [token, other] = [await register(), await register()];
  await isGood(token);
  expect((await call('POST', `${stack.user.url}/api/users/logout`, undefined, { token })).status).toBe(204);
  await until('every service refuses it', async () => (await statuses(token)).every((s) => s === 401), SOON);
  await isGood(other);
}

describe('a revoked session ends in every service', () => {
  test('with Redis', logOutEverywhere);

  test('with Redis paused, killed, and absent', async () => {
    redis.pause();
    await logOutEverywhere();
    redis.resume();
    await redis.kill();
    await logOutEverywhere();
    for (const service of [stack.user, stack.product, stack.order]) await service.restart({ REDIS_URL: '' });
    await logOutEverywhere();
  });

  test.each(['user', 'product', 'order'] as const)(
    'with the clock of %s-service two hours off, either way',
    async (name) => {
      const shift = `--import ${fileURLToPath(new URL('support/shift-clock.js', import.meta.url))}`;
      try {
        for (const hours of ['-2', '2']) {
          await stack[name].restart({ NODE_OPTIONS: shift, SHIFT_CLOCK_HOURS: hours });
          await logOutEverywhere();
        }
      } finally {
        await stack[name].restart({ NODE_OPTIONS: '', SHIFT_CLOCK_HOURS: '0' });
      }
    },
  );
});

describe('while user-service is down', () => {
  test('a running service accepts tokens; a new one serves public reads and returns 503 for tokens', async () => {
    const token = await register();
    await isGood(token);
    await stack.user.stop();
    expect((await statuses(token).catch(() => [0])).at(-1)).toBe(0);
    const orders = () => call('GET', `${stack.order.url}/api/orders`, undefined, { token });
    await until('orders are listed', async () => (await orders()).status === 200, SOON);
    await stack.product.stop();
    const started = stack.product.start();
    const list = () => call('GET', `${stack.product.url}/api/products`);
    await until('the catalogue can be read', async () => (await list()).status === 200);
    const body = { name: 'A thing', price: 1 };
    const create = () => call('POST', `${stack.product.url}/api/products`, body, { token });
    const refused = await create();
    expect([refused.status, refused.body['code']]).toEqual([503, 'starting']);
    const ready = await call('GET', `${stack.product.url}/ready`);
    expect([ready.status, ready.body['status']]).toEqual([200, 'degraded']);
    await stack.user.start();
    await started;
    expect((await create()).status).toBe(201);
  });
});
