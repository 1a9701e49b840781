import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { connectTestRedis } from '@shop/service-kit/testing/test-redis';
import { until } from '@shop/service-kit/testing/until';
import {
  cacheOn,
  LATER,
  neverLoaded,
  next,
  nothing,
  open,
  read,
  slowLoad,
  textOf,
  twoProcesses,
  version,
} from './support/caches.ts';

describe('a response that is replaced', () => {
  const connect = async () => cacheOn(await open(connectTestRedis())).cache;

  test('is the next version, and nothing is loaded', async () => {
    const cache = await connect();
    await cache.read('7', '', version(1));
    await cache.replace([next('7', 2)]);
    expect(await read(cache, '7', '', neverLoaded)).toEqual({ text: 'version 2', hit: true });
  });

  test('is the latest version, in whatever order changes report theirs', async () => {
    const cache = await connect();
    await cache.read('7', '', version(1));
    await cache.replace([next('7', 3)]);
    await cache.replace([next('7', 2)]);
    expect(await textOf(cache, '7', '', neverLoaded)).toBe('version 3');
    await cache.replace([next('7', 4)]);
    expect(await textOf(cache, '7', '', neverLoaded)).toBe('version 4');
  });

  test('is not kept where nobody has asked for it, or there was nothing', async () => {
    const cache = await connect();
    await cache.replace([next('7', 1)]);
    expect(await read(cache, '7', '', version(1))).toEqual({ text: 'version 1', hit: false });
    await cache.read('8', '', nothing);
    await cache.replace([next('8', 1)]);
    expect(await read(cache, '8', '', version(1))).toEqual({ text: 'version 1', hit: false });
  });

  test('does not return after it was invalidated, however late its version is reported', async () => {
    const cache = await connect();
    await cache.read('7', '', version(1));
    await cache.invalidate(['7']);
    await cache.replace([next('7', 2)]);
    expect(await read(cache, '7', '', version(3))).toEqual({ text: 'version 3', hit: false });
    await until('it is stored', async () => {
      await cache.replace([next('7', 2)]);
      return (await read(cache, '7', '', version(3))).hit;
    });
    expect(await textOf(cache, '7', '', neverLoaded)).toBe('version 3');
  });

  test('is not overwritten by a load that began before the change', async () => {
    const cache = await connect();
    await cache.read('7', '', version(1));
    await cache.invalidate(['7']);
    const slow = slowLoad();
    const early = textOf(cache, '7', '', slow.load);
    await until('the load began', () => slow.calls() === 1);
    await cache.replace([next('7', 3)]);
    const during = await textOf(cache, '7', '', version(3));
    slow.resolve('version 2');
    expect([await early, during]).toEqual(['version 2', 'version 3']);
    await sleep(LATER);
    expect(await textOf(cache, '7', '', version(3))).toBe('version 3');
  });
});

describe('caches of several processes', () => {
  test('show the next version within a second, and load nothing', async () => {
    const [one, two] = await twoProcesses();
    await one.cache.read('7', '', version(1));
    await two.cache.read('7', '', neverLoaded);
    for (let number = 2; number <= 4; number += 1) {
      await two.cache.replace([next('7', number)]);
      expect(await textOf(two.cache, '7', '', neverLoaded)).toBe(`version ${number}`);
      await sleep(LATER);
      expect(await textOf(one.cache, '7', '', neverLoaded)).toBe(`version ${number}`);
    }
  });

  test('keep the latest of versions that both report at the same time', async () => {
    const [one, two] = await twoProcesses();
    await one.cache.read('7', '', version(0));
    const numbers = Array.from({ length: 100 }, (_, i) => i + 1).sort(() => Math.random() - 0.5);
    await Promise.all(numbers.map((number, i) => (i % 2 ? one : two).cache.replace([next('7', number)])));
    for (const { cache } of [one, two]) expect(await textOf(cache, '7', '', neverLoaded)).toBe('version 100');
  });

  test('take no version after Redis lost its data', async () => {
    const [one, two] = await twoProcesses();
    await one.cache.read('7', '', version(1));
    await two.cache.replace([next('7', 3)]);
    await one.redis.client.del(...(await one.redis.client.keys(`${one.redis.prefix}*`)));
    await one.cache.replace([next('7', 2)]);
    expect(await textOf(two.cache, '7', '', version(3))).toBe('version 3');
  });
});
