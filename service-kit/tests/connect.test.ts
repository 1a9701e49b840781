import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RedisConnection } from '../src/redis/connect.ts';
import { withClockSetBack } from '../testing/clock.ts';
import { connectTo, type RedisProcess, startRedisProcess } from '../testing/redis-process.ts';
import { until } from '../testing/until.ts';

let server: RedisProcess;
let redis: RedisConnection;
beforeAll(async () => {
  server = await startRedisProcess();
  redis = await connectTo(server);
});
afterAll(async () => {
  await redis.close();
  await server.kill();
});

const never = () => new Promise<never>(() => undefined);

test('a response that arrived while the process was busy is in time', async () => {
  const response = redis.run((client) => client.ping());
  await new Promise((resolve) => setTimeout(resolve, 1));
  const endsAt = performance.now() + 400;
  while (performance.now() < endsAt);
  expect(await response).toBe('PONG');
  expect(redis.isReady()).toBe(true);
});

test('after a timeout, commands fail at once for a while, by a clock that nobody sets', async () => {
  await expect(redis.run(never)).rejects.toThrow('redis is late');
  await expect(redis.run((client) => client.ping())).rejects.toThrow('redis is unavailable');
  await withClockSetBack(() => until('they are tried again', () => redis.isReady()));
  expect(await redis.run((client) => client.ping())).toBe('PONG');
});

test('a response that comes late shows that Redis is there', async () => {
  let respond: () => void = () => undefined;
  const late = new Promise<void>((resolve) => (respond = resolve));
  await expect(redis.run(() => late)).rejects.toThrow('redis is late');
  expect(redis.isReady()).toBe(false);
  respond();
  await late;
  expect(redis.isReady()).toBe(true);
});

describe('a command that is insisted on', () => {
  const lateAt = (attempts: number[]) => {
    let made = 0;
    return {
      made: () => made,
      commands: async (client: RedisConnection['client']) => {
        made += 1;
        return attempts.includes(made) ? never() : client.ping();
      },
    };
  };

  test('is tried twice, and also during the rest after a timeout', async () => {
    const late = lateAt([1]);
    expect(await redis.insist(late.commands)).toBe('PONG');
    expect([late.made(), redis.hasFailedTwice()]).toEqual([2, false]);
  });

  test('fails after two attempts; from then on there is one, until Redis responds', async () => {
    const late = lateAt([1, 2]);
    await expect(redis.insist(late.commands)).rejects.toThrow('redis is late');
    expect([late.made(), redis.hasFailedTwice()]).toEqual([2, true]);
    await expect(redis.insist(late.commands)).rejects.toThrow('redis is unavailable');
    await until('commands are tried again', () => redis.isReady());
    expect(await redis.insist(late.commands)).toBe('PONG');
    expect([late.made(), redis.hasFailedTwice()]).toEqual([3, false]);
  });
});
