import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { call } from './support/http.ts';
import { until } from './support/process.ts';
import { startRedis } from './support/redis.ts';
import { type Stack, startStack } from './support/stack.ts';

let redis: Awaited<ReturnType<typeof startRedis>>;
let stack: Stack;
beforeAll(async () => {
  redis = await startRedis();
  stack = await startStack({
    redisUrl: redis.url,
    only: ['user-service', 'product-service'],
    env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_REGISTER: '5/60', RATE_LIMIT_CATALOGUE_READS: '50/60' },
  });
});
afterAll(async () => {
  await stack.close();
  await redis.close();
});

let named = 0;
function register() {
  named += 1;
  const name = `outage-${process.pid}-${named}`;
  const body = { username: name, email: `${name}@example.com`, password: 'securepass123' };
  return call('POST', `${stack.user.url}/api/users/register`, body);
}

/** How many registrations pass until the limit of 5 a minute says no. */
async function registrationsUntilLimited(): Promise<number> {
  for (let passed = 0; passed <= 10; passed++) {
    const { status } = await register();
    if (status === 429) return passed;
    expect(status).toBe(201);
  }
  throw new Error('the limit is not in force');
}

const list = () => call('GET', `${stack.product.url}/api/products`);
const readyState = async (url: string) => String((await call('GET', `${url}/ready`)).body['status']);

describe('while Redis comes and goes', () => {
  test('the limits are in force before', async () => {
    expect(await registrationsUntilLimited()).toBe(5);
  });

  test('killed: requests go on, registration is limited in memory, readiness is degraded but 200', async () => {
    await redis.kill();
    await until('the services saw it', async () => (await readyState(stack.user.url)) === 'degraded');
    expect(await registrationsUntilLimited()).toBe(5);
    const responses = await Promise.all(Array.from({ length: 60 }, list));
    expect(responses.map((response) => response.status)).toEqual(Array(60).fill(200));
    const metrics = await call('GET', `${stack.product.url}/metrics`);
    expect(metrics.text).toMatch(/redis_degraded_total\{feature="limit_catalogue_reads"[^}]*\} [1-9]/);
  });

  test('started again, empty: the limits are back in force in Redis', async () => {
    await redis.start();
    for (const service of [stack.user, stack.product]) {
      await until('the service uses Redis again', async () => (await readyState(service.url)) === 'ready');
    }
    expect(await registrationsUntilLimited()).toBe(5);
    const responses = [];
    for (let i = 0; i < 60; i++) responses.push((await list()).status);
    expect(responses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(10);
  });

  test('paused: requests go on', async () => {
    redis.pause();
    const responses = await Promise.all(Array.from({ length: 20 }, list));
    expect(responses.map((response) => response.status)).toEqual(Array(20).fill(200));
    redis.resume();
    await until('it is limited again', async () => (await list()).status === 429);
  });
});
