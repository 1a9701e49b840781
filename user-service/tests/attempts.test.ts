import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { RedisConnection } from '@shop/service-kit/redis/connect';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import { connectTestRedis } from '@shop/service-kit/testing/test-redis';
import { until } from '@shop/service-kit/testing/until';
import { type AttemptCounter, createAttemptCounter } from '../src/credentials/attempt.counter.ts';

const metrics = createMetrics('user-service');
const DAY = 86_400_000;
const MINUTE = 60_000;
let redis: RedisConnection;
beforeAll(async () => {
  redis = await connectTestRedis();
});
afterAll(() => redis.close());

let named = 0;
let account: string;
/** Milliseconds by which the clock of the counters in memory is ahead. */
let passed: number;
beforeEach(() => {
  passed = 0;
  named += 1;
  account = `account${named}`;
});

const counterOf = (
  where: string,
  account = { max: 10, seconds: 900 },
  address = { max: 1000, seconds: 900 },
) =>
  createAttemptCounter({
    account,
    address,
    redis: where === 'Redis' ? redis : undefined,
    metrics,
    clock: () => performance.now() + passed,
  });
const full = { status: 429, code: 'rate_limited', message: 'Too many requests, try again later' };
/** Fails until it is refused. @returns for how many seconds */
async function fill(counter: AttemptCounter): Promise<number> {
  for (;;) {
    const refused = await counter.take({ account }).then(
      () => undefined,
      (error: { headers: Record<string, string> }) => error,
    );
    if (refused !== undefined) return Number(refused.headers['Retry-After']);
  }
}
/** A slow machine may take some seconds to fill a window. */
async function expectWait(counter: AttemptCounter, seconds: number): Promise<void> {
  const wait = await fill(counter);
  expect(wait).toBeGreaterThan(seconds - 20);
  expect(wait).toBeLessThanOrEqual(seconds);
}
/** Lets time pass for the account's window. @param milliseconds */
async function pass(where: string, milliseconds: number): Promise<void> {
  if (where === 'Redis') {
    await redis.client.hincrby(`${redis.prefix}failures:${account}`, 'ends', -milliseconds);
    return;
  }
  passed += milliseconds;
}

describe.each(['Redis', 'memory'])('failures, counted in %s', (where) => {
  test('fill a window; the next one is twice as long, up to four times', async () => {
    const counter = counterOf(where);
    for (const minutes of [15, 30, 60, 60]) {
      await expectWait(counter, minutes * 60);
      await pass(where, minutes * MINUTE);
    }
  });

  test('of a window that was not filled do not lengthen the next', async () => {
    const counter = counterOf(where);
    await counter.take({ account });
    await pass(where, 15 * MINUTE);
    await expectWait(counter, 15 * 60);
  });

  test('return to short waits after a correct password', async () => {
    const counter = counterOf(where);
    await fill(counter);
    await pass(where, 15 * MINUTE);
    const takeBack = await counter.take({ account });
    await takeBack(true);
    // The current window keeps its length; after it the doubling starts again.
    await expectWait(counter, 30 * 60);
    await pass(where, 30 * MINUTE);
    await expectWait(counter, 30 * 60);
  });

  test('can be undone without other effects if no password was checked', async () => {
    const counter = counterOf(where);
    await fill(counter);
    await pass(where, 15 * MINUTE);
    await (await counter.take({ account }))(false);
    for (let i = 0; i < 10; i += 1) await counter.take({ account });
    await expect(counter.take({ account })).rejects.toMatchObject(full);
    await pass(where, 30 * MINUTE);
    await expectWait(counter, 60 * 60);
  });

  test('are counted for an address over many accounts, with the same error message', async () => {
    const counter = counterOf(where, { max: 10, seconds: 900 }, { max: 3, seconds: 900 });
    const address = `ip:10.0.0.${named}`;
    const tries = (i: number) => counter.take({ account: `${account}-${i}`, address });
    await (await tries(0))(true);
    for (let i = 1; i <= 3; i += 1) await tries(i);
    await expect(tries(4)).rejects.toMatchObject(full);
    // Refused attempts are not counted; from another address the account can be tried.
    for (let i = 0; i < 10; i += 1) await counter.take({ account: `${account}-4` });
  });

  test('of an account do not use up the limit of its address', async () => {
    const counter = counterOf(where, { max: 1, seconds: 900 }, { max: 2, seconds: 900 });
    const address = `ip:10.0.1.${named}`;
    await counter.take({ account, address });
    for (let i = 0; i < 5; i += 1)
      await expect(counter.take({ account, address })).rejects.toMatchObject(full);
    await counter.take({ account: `${account}-2`, address });
  });
});

describe('failures', () => {
  test('are forgotten by Redis a day after their window', async () => {
    const counter = counterOf('Redis');
    await fill(counter);
    const lifetime = await redis.client.pttl(`${redis.prefix}failures:${account}`);
    expect(lifetime).toBeGreaterThan(DAY);
    expect(lifetime).toBeLessThanOrEqual(DAY + 15 * MINUTE);
  });

  test('are forgotten in memory a day after their window', async () => {
    const counter = counterOf('memory');
    await fill(counter);
    await pass('memory', 15 * MINUTE + DAY);
    await expectWait(counter, 15 * 60);
  });

  test('are counted in memory while Redis is unavailable, and in Redis when it is back', async () => {
    const own = await connectTestRedis();
    const limit = { max: 2, seconds: 900 };
    const counter = createAttemptCounter({ account: limit, address: limit, redis: own, metrics });
    await counter.take({ account });
    own.client.disconnect();
    await until('Redis is unavailable', async () => !own.isReady());
    const takeBack = await counter.take({ account });
    await counter.take({ account });
    await expect(counter.take({ account })).rejects.toMatchObject(full);
    await takeBack(false);
    await counter.take({ account });
    await own.client.connect();
    await until('Redis is back', async () => own.isReady());
    await counter.take({ account });
    await expect(counter.take({ account })).rejects.toMatchObject(full);
    await own.close();
  });

  test('are taken back and forgotten also just after Redis was late', async () => {
    const own = await connectTestRedis();
    const limit = { max: 2, seconds: 900 };
    const counter = createAttemptCounter({ account: limit, address: limit, redis: own, metrics });
    const beLate = () => expect(own.run(() => new Promise(() => undefined))).rejects.toThrow('late');
    const isReady = () => until('Redis is used again', async () => own.isReady(), 10_000);
    const takeBack = await counter.take({ account });
    await beLate();
    await takeBack(true);
    await isReady();
    await counter.take({ account });
    await counter.take({ account });
    await expect(counter.take({ account })).rejects.toMatchObject(full);
    await beLate();
    await counter.forget(account);
    await isReady();
    await counter.take({ account });
    await own.close();
  });

  test('of very many names do not fill the memory: the oldest are dropped', async () => {
    const counter = counterOf('memory', { max: 1, seconds: 900 });
    const takeBack = await counter.take({ account: 'first' });
    await counter.take({ account: 'second' });
    for (let i = 0; i < 10_000; i += 1) await counter.take({ account: `name${i}` });
    await takeBack(false);
    await counter.take({ account: 'second' });
    await expect(counter.take({ account: 'name9999' })).rejects.toMatchObject(full);
  });
});
