import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createCaches } from '../src/redis/cache.ts';
import { createMetrics } from '../src/runtime/metrics.ts';
import { connectTestRedis } from '../src/testing/test-redis.ts';
import {
  cacheOn,
  neverLoaded,
  open,
  read,
  response,
  slowLoad,
  textOf,
  twoProcesses,
  value,
} from './support/caches.ts';
import { until } from './support/until.ts';

describe.each(['in this process', 'in Redis'])('a cache %s', (place) => {
  const connect = () => (place === 'in Redis' ? open(connectTestRedis()) : undefined);

  test('loads once and serves the next reads from what it keeps', async () => {
    const { cache, reads, metrics } = cacheOn(await connect());
    const first = await cache.read('7', 'plain', value('one'));
    expect(first).toEqual({ value: response('one'), hit: false });
    expect(await cache.read('7', 'plain', neverLoaded)).toEqual({ value: response('one'), hit: true });
    expect(await read(cache, '7', 'other', value('two'))).toEqual({ text: 'two', hit: false });
    expect([await reads('memory'), await reads('miss'), await reads('alone')]).toEqual([1, 2, 0]);
    expect((await metrics.cacheLoads.get()).values).toMatchObject([{ value: 2 }]);
    expect(await metrics.registry.metrics()).toMatch(/cache_age_seconds_count\{[^}]*thing[^}]*\} 3/);
  });

  test('asks whether a response still holds before it is a second old', async () => {
    const { cache, reads } = cacheOn(await connect());
    await read(cache, '7', 'k', value('one'));
    await sleep(800);
    expect(await read(cache, '7', 'k', neverLoaded)).toEqual({ text: 'one', hit: true });
    expect([await reads('memory'), await reads('redis')]).toEqual([0, 1]);
  });

  test.each(['0', 'null', 'false'])('keeps %j as a value', async (text) => {
    const { cache } = cacheOn(await connect());
    await read(cache, '7', 'k', value(text));
    await sleep(800);
    expect(await read(cache, '7', 'k', neverLoaded)).toEqual({ text, hit: true });
  });

  test('keeps that there is nothing', async () => {
    const { cache } = cacheOn(await connect());
    await cache.read('7', 'k', async () => null);
    await sleep(800);
    expect(await cache.read('7', 'k', neverLoaded)).toEqual({ value: null, hit: true });
  });

  test('loads a cold key once for all who ask at the same time', async () => {
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

  test('ends the groups that changed, and only these', async () => {
    const { cache } = cacheOn(await connect());
    for (const group of ['1', '2', '3']) await cache.read(group, 'k', value('old'));
    await cache.invalidate(['1', '2']);
    expect(await textOf(cache, '1', 'k', value('new'))).toBe('new');
    expect(await textOf(cache, '2', 'k', value('new'))).toBe('new');
    expect((await read(cache, '3', 'k', neverLoaded)).hit).toBe(true);
  });

  test('never reads what was loaded before the group ended, however late it was stored', async () => {
    const { cache } = cacheOn(await connect());
    const slow = slowLoad();
    const early = textOf(cache, '7', 'k', slow.load);
    await until('the load began', () => slow.calls() === 1);
    await cache.invalidate(['7']);
    const during = await read(cache, '7', 'k', value('new'));
    slow.resolve('old');
    expect(await early).toBe('old');
    expect(during).toEqual({ text: 'new', hit: false });
    expect(await read(cache, '7', 'k', neverLoaded)).toEqual({ text: 'new', hit: true });
    await sleep(800);
    expect(await read(cache, '7', 'k', neverLoaded)).toEqual({ text: 'new', hit: true });
  });

  test('shares a load that takes long only with those who asked soon', async () => {
    const { cache } = cacheOn(await connect());
    const slow = slowLoad();
    const early = textOf(cache, '7', 'k', slow.load);
    await until('the load began', () => slow.calls() === 1);
    await sleep(800);
    expect(await textOf(cache, '7', 'k', value('new'))).toBe('new');
    slow.resolve('old');
    expect(await early).toBe('old');
    expect(await textOf(cache, '7', 'k', neverLoaded)).toBe('new');
  });

  test('forgets an entry at the end of its life, which the value may decide', async () => {
    const { cache } = cacheOn(await connect(), (found) => (String(found?.bytes) === 'short' ? 0.02 : 60));
    await cache.read('7', 'a', value('short'));
    await cache.read('7', 'b', value('long'));
    await until('the entry is gone', async () => !(await cache.read('7', 'a', value('again'))).hit);
    expect((await cache.read('7', 'b', neverLoaded)).hit).toBe(true);
  });
});

test('a cache that would keep entries longer than Redis remembers what was invalidated is not made', () => {
  const make = (ttl: number) =>
    createCaches({ redis: undefined, metrics: createMetrics('kit') })({ name: 'long', ttl });
  for (const ttl of [0, Number.NaN, 841]) expect(() => make(ttl)).toThrow('at most 840 s');
  make(840);
});

test('a cache in this process has a bound', async () => {
  const { cache } = cacheOn(undefined);
  const load = async () => ({ etag: '"1"', bytes: Buffer.alloc(1_000_000) });
  for (let i = 0; i < 40; i += 1) await cache.read('all', String(i), load);
  expect((await cache.read('all', '39', neverLoaded)).hit).toBe(true);
  expect((await cache.read('all', '0', load)).hit).toBe(false);
  await cache.invalidate(Array.from({ length: 10_002 }, (_, i) => String(i)));
  await cache.invalidate(['one more']);
  await sleep(800);
  expect((await cache.read('all', '38', load)).hit).toBe(false);
});

describe('caches of several processes', () => {
  test('are one through Redis', async () => {
    const [one, two] = await twoProcesses();
    await one.cache.read('7', 'k', value('old'));
    expect(await two.cache.read('7', 'k', neverLoaded)).toEqual({ value: response('old'), hit: true });
    await two.cache.invalidate(['7']);
    expect(await textOf(two.cache, '7', 'k', value('new'))).toBe('new');
    await sleep(800);
    expect(await read(one.cache, '7', 'k', neverLoaded)).toEqual({ text: 'new', hit: true });
  });

  test('load a cold key once for all readers of all', async () => {
    const [one, two] = await twoProcesses();
    const slow = slowLoad();
    const all = Promise.all(
      [one, two].flatMap(({ cache }) => Array.from({ length: 50 }, () => textOf(cache, '7', 'k', slow.load))),
    );
    await until('a load began', () => slow.calls() > 0);
    await sleep(100);
    slow.resolve('one');
    expect(new Set(await all)).toEqual(new Set(['one']));
    expect(slow.calls()).toBe(1);
    expect((await one.reads('redis')) + (await two.reads('redis'))).toBe(1);
  });

  test('load themselves when another takes too long or has failed', async () => {
    const [one, two] = await twoProcesses();
    const slow = slowLoad();
    const early = settled(one.cache.read('7', 'k', slow.load));
    await until('a load began', () => slow.calls() === 1);
    expect(await textOf(two.cache, '7', 'k', value('patience has an end'))).toBe('patience has an end');
    slow.reject(new Error('no database'));
    await early;
    expect(await textOf(one.cache, '7', 'k', value('loaded at once'))).toBe('loaded at once');
  });

  test('never keep what was loaded before a change, whoever was late', async () => {
    const [one, two] = await twoProcesses();
    const slow = slowLoad();
    const early = textOf(one.cache, '7', 'k', slow.load);
    await until('a load began', () => slow.calls() === 1);
    await two.cache.invalidate(['7']);
    expect(await textOf(two.cache, '7', 'k', value('new'))).toBe('new');
    slow.resolve('old');
    expect(await early).toBe('old');
    await sleep(800);
    expect(await textOf(one.cache, '7', 'k', neverLoaded)).toBe('new');
    expect(await textOf(two.cache, '7', 'k', neverLoaded)).toBe('new');
  });

  test('load a key once in a while, however often its group ends', async () => {
    const [one, two] = await twoProcesses();
    let loads = 0;
    const load = async () => {
      loads += 1;
      return response(String(loads));
    };
    const endsAt = Date.now() + 1000;
    while (Date.now() < endsAt) {
      await two.cache.invalidate(['7']);
      await one.cache.read('7', 'k', load);
      await sleep(5);
    }
    expect(loads).toBeLessThanOrEqual(3);
  });

  test('keep nothing that was loaded before Redis lost its data', async () => {
    const [one, two] = await twoProcesses();
    const { redis } = one;
    const slow = slowLoad();
    const early = one.cache.read('7', 'k', slow.load);
    await until('a load began', () => slow.calls() === 1);
    await two.cache.invalidate(['7']);
    await redis.client.del(...(await redis.client.keys(`${redis.prefix}*`)));
    slow.resolve('old');
    await early;
    expect(await textOf(two.cache, '7', 'k', value('new'))).toBe('new');
  });
});

const settled = (reading: Promise<unknown>) => reading.catch(() => undefined);
