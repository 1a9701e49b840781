import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type RedisProcess, startRedisProcess } from '@shop/service-kit/testing/redis-process';
import { call } from './support/http.ts';
import { until } from './support/process.ts';
import { type Stack, startStack } from './support/stack.ts';

let redis: RedisProcess;
let stack: Stack;
beforeAll(async () => {
  redis = await startRedisProcess();
  stack = await startStack({
    redisUrl: redis.url,
    only: ['user-service', 'product-service'],
    env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_REGISTER: '5/60', RATE_LIMIT_CATALOGUE_READS: '50/60' },
  });
});
afterAll(async () => {
  await stack.close();
  await redis.kill();
});

let named = 0;
function register() {
  named += 1;
  const name = `outage-${process.pid}-${named}`;
  const body = { username: name, email: `${name}@example.com`, password: 'securepass123' };
  return call('POST', `${stack.user.url}/api/users/register`, body);
}

/** Registrations that succeed until the limit of 5 a minute refuses one. */
async function registrationsUntilLimited(): Promise<number> {
  for (let passed = 0; passed <= 10; passed++) {
    const { status } = await register();
    if (status === 429) return passed;
    expect(status).toBe(201);
  }
  throw new Error('the limit is not applied');
}

const list = () => call('GET', `${stack.product.url}/api/products`);
const readyState = async (url: string) => String((await call('GET', `${url}/ready`)).body['status']);

describe('a Redis outage', () => {
  test('starts with limits counted in Redis', async () => {
    expect(await registrationsUntilLimited()).toBe(5);
  });

  test('killed: requests succeed, registration is limited in memory, /ready is 200 with degraded', async () => {
    await redis.kill();
    await until('the service reports it', async () => (await readyState(stack.user.url)) === 'degraded');
    expect(await registrationsUntilLimited()).toBe(5);
    const responses = await Promise.all(Array.from({ length: 60 }, list));
    expect(responses.map((response) => response.status)).toEqual(Array(60).fill(200));
    const metrics = await call('GET', `${stack.product.url}/metrics`);
    expect(metrics.text).toMatch(/redis_degraded_total\{feature="limit_catalogue_reads"[^}]*\} [1-9]/);
  });

  test('restarted, empty: the limits are counted in Redis again', async () => {
    await redis.start();
    for (const service of [stack.user, stack.product]) {
      await until('the service uses Redis again', async () => (await readyState(service.url)) === 'ready');
    }
    expect(await registrationsUntilLimited()).toBe(5);
    const responses = [];
    for (let i = 0; i < 60; i++) responses.push((await list()).status);
    expect(responses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(10);
  });

  test('paused: requests succeed', async () => {
    redis.pause();
    const responses = await Promise.all(Array.from({ length: 20 }, list));
    expect(responses.map((response) => response.status)).toEqual(Array(20).fill(200));
    redis.resume();
    await until('it is limited again', async () => (await list()).status === 429);
  });
});
