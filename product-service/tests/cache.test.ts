import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { connectTestRedis } from '@shop/service-kit/testing/test-redis';
import { until } from '@shop/service-kit/testing/until';
import {
  bytesOf,
  cacheOn,
  LATER,
  neverLoaded,
  nothing,
  open,
  read,
  slowLoad,
  textOf,
  twoProcesses,
  value,
} from './support/caches.ts';

describe.each(['without Redis', 'with Redis'])('a cache %s', (way) => {
  const connect = () => (way === 'with Redis' ? open(connectTestRedis()) : undefined);

  test('loads a key once for all who ask at the same time', async () => {
    const { cache } = cacheOn(await connect());
    const slow = slowLoad();
    const all = Promise.all(Array.from({ length: 20 }, () => textOf(cache, '7', 'k', slow.load)));
    await until('a load began', () => slow.calls() > 0);
    slow.resolve('one');
    expect(new Set(await all)).toEqual(new Set(['one']));
    expect(slow.calls()).toBe(1);
  });

  test('passes a failed load on to all who wait, and loads again afterwards', async () => {
    const { cache } = cacheOn(await connect());
    const slow = slowLoad();
    const all = Promise.allSettled([cache.read('7', 'k', slow.load), cache.read('7', 'k', slow.load)]);
    await until('a load began', () => slow.calls() > 0);
    slow.reject(new Error('no database'));
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await read(cache, '7', 'k', value('two'))).toEqual({ text: 'two', hit: false });
  });

  test('shows a change that this process has made to every later read', async () => {
    const { cache } = cacheOn(await connect());
    await cache.read('7', 'k', value('old'));
    await cache.invalidate(['7']);
    expect(await textOf(cache, '7', 'k', value('new'))).toBe('new');
    await cache.invalidate(['7']);
    expect(await textOf(cache, '7', 'k', value('newer'))).toBe('newer');
  });

  test('serves no read what was loaded before a change that was made before it began', async () => {
    const { cache } = cacheOn(await connect());
    const slow = slowLoad();
    const early = textOf(cache, '7', 'k', slow.load);
    await until('the load began', () => slow.calls() === 1);
    await cache.invalidate(['7']);
    const late = textOf(cache, '7', 'k', value('new'));
    slow.resolve('old');
    expect([await early, await late]).toEqual(['old', 'new']);
    await sleep(LATER);
    const loaded = way === 'with Redis' ? neverLoaded : value('new');
    expect(await textOf(cache, '7', 'k', loaded)).toBe('new');
  });

  test('shares a load that takes long only with reads that began soon after it', async () => {
    const { cache } = cacheOn(await connect());
    const slow = slowLoad();
    const early = textOf(cache, '7', 'k', slow.load);
    await until('the load began', () => slow.calls() === 1);
    await sleep(LATER);
    expect(await textOf(cache, '7', 'k', value('new'))).toBe('new');
    slow.resolve('old');
    expect(await early).toBe('old');
  });

  test('loads again in time for a change that nobody reported here', async () => {
    const { cache } = cacheOn(await connect(), { lifetime: 10 });
    await cache.read('7', 'k', value('old'));
    await sleep(LATER);
    expect(await read(cache, '7', 'k', value('new'))).toEqual({ text: 'new', hit: false });
  });

  test('is not made with a lifetime beyond its bound', async () => {
    const redis = await connect();
    for (const lifetime of [0, -1, Number.NaN, 600_001]) {
      expect(() => cacheOn(redis, { lifetime })).toThrow('the most is 600000');
      expect(() => cacheOn(redis, { lifetimeOfNothing: lifetime })).toThrow('the most is 600000');
    }
    cacheOn(redis, { lifetime: 600_000 });
  });
});

describe('what Redis keeps', () => {
  test.each(['one', '0', 'null', 'false'])('%j is served until it changes', async (text) => {
    const { cache, reads, metrics } = cacheOn(await open(connectTestRedis()));
    expect(await cache.read('7', 'k', value(text))).toMatchObject({ value: bytesOf(text), hit: false });
    await sleep(LATER);
    expect(await read(cache, '7', 'k', neverLoaded)).toEqual({ text, hit: true });
    expect([await reads('miss'), await reads('redis')]).toEqual([1, 1]);
    expect((await metrics.cacheLoads.get()).values).toMatchObject([{ value: 1 }]);
  });

  test('may be that there is nothing, for a time of its own', async () => {
    const redis = await open(connectTestRedis());
    const { cache } = cacheOn(redis);
    await cache.read('7', 'k', nothing);
    await sleep(LATER);
    expect(await cache.read('7', 'k', neverLoaded)).toMatchObject({ value: null, hit: true });
    const impatient = cacheOn(redis, { name: 'other', lifetimeOfNothing: 10 }).cache;
    await impatient.read('7', 'k', nothing);
    await sleep(LATER);
    expect(await textOf(impatient, '7', 'k', value('there now'))).toBe('there now');
  });

  test('is invalidated by groups', async () => {
    const { cache } = cacheOn(await open(connectTestRedis()));
    for (const group of ['1', '2', '3']) await cache.read(group, 'k', value('old'));
    await cache.invalidate(['1', '2']);
    for (const group of ['1', '2']) expect(await textOf(cache, group, 'k', value('new'))).toBe('new');
    await sleep(LATER);
    expect((await read(cache, '3', 'k', neverLoaded)).hit).toBe(true);
  });

  test('has a bound for each group', async () => {
    const redis = await open(connectTestRedis());
    const { cache } = cacheOn(redis);
    await Promise.all(Array.from({ length: 1500 }, (_, i) => cache.read('7', String(i), value('v'))));
    const [group = ''] = await redis.client.keys(`${redis.prefix}cache:*:thing:7`);
    expect(await redis.client.hlen(group)).toBeLessThan(1010);
  });
});

describe('caches of several processes', () => {
  test('are one through Redis', async () => {
    const [one, two] = await twoProcesses();
    await one.cache.read('7', 'k', value('old'));
    expect(await two.cache.read('7', 'k', neverLoaded)).toMatchObject({ value: bytesOf('old'), hit: true });
    await two.cache.invalidate(['7']);
    expect(await textOf(two.cache, '7', 'k', value('new'))).toBe('new');
    await sleep(LATER);
    expect(await read(one.cache, '7', 'k', neverLoaded)).toEqual({ text: 'new', hit: true });
  });

  test('keep nothing that was loaded before a change', async () => {
    const [one, two] = await twoProcesses();
    const slow = slowLoad();
    const early = textOf(one.cache, '7', 'k', slow.load);
    await until('a load began', () => slow.calls() === 1);
    await two.cache.invalidate(['7']);
    expect(await textOf(two.cache, '7', 'k', value('new'))).toBe('new');
    slow.resolve('old');
    expect(await early).toBe('old');
    await sleep(LATER);
    expect(await textOf(one.cache, '7', 'k', neverLoaded)).toBe('new');
    expect(await textOf(two.cache, '7', 'k', neverLoaded)).toBe('new');
  });

  test('load a key no more often than copies grow old, however often its group is invalidated', async () => {
    const [one, two] = await twoProcesses();
    let loads = 0;
    const load = () => value(String(++loads))();
    const startedAt = performance.now();
    for (let i = 0; i < 100; i += 1) {
      await two.cache.invalidate(['7']);
      await one.cache.read('7', 'k', load);
    }
    expect(loads).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - startedAt) / 400));
  });

  test('keep nothing that was loaded before Redis lost its data', async () => {
    const [one, two] = await twoProcesses();
    const { redis } = one;
    const slow = slowLoad();
    const early = one.cache.read('7', 'k', slow.load);
    await until('a load began', () => slow.calls() === 1);
    await redis.client.del(...(await redis.client.keys(`${redis.prefix}*`)));
    slow.resolve('old');
    await early;
    expect(await textOf(two.cache, '7', 'k', value('new'))).toBe('new');
  });
});
