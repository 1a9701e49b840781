import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type CacheOptions, createCache } from '../src/redis/cache.ts';
import type { RedisConnection } from '../src/redis/connect.ts';
import { createMetrics } from '../src/runtime/metrics.ts';
import { connectTestRedis } from '../src/testing/test-redis.ts';
import { connectTo, type RedisProcess, startRedisProcess } from './support/redis-process.ts';
import { until } from './support/until.ts';

const opened: RedisConnection[] = [];
const open = async (connection: Promise<RedisConnection>) => {
  opened.push(await connection);
  return connection;
};
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
});

const cacheOn = (redis: RedisConnection | undefined, ttl: CacheOptions['ttl'] = 60) => {
  const metrics = createMetrics('kit');
  const cache = createCache({ name: 'thing', ttl, redis, metrics });
  const reads = async (result: string) =>
    (await metrics.cacheReads.get()).values.find(({ labels }) => labels.result === result)?.value ?? 0;
  return { cache, metrics, reads };
};

/** A load that ends when the test says so. */
function slowLoad() {
  let calls = 0;
  const { promise, resolve, reject } = deferred<string>();
  const load = () => {
    calls += 1;
    return promise;
  };
  return { load, resolve, reject, calls: () => calls };
}
function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
const value = (text: string) => async () => text;
const neverLoaded = async (): Promise<string> => {
  throw new Error('must come from the cache');
};

describe.each(['in this process', 'in Redis'])('a cache %s', (place) => {
  const connect = () => (place === 'in Redis' ? open(connectTestRedis()) : undefined);

  test('loads once and answers the next reads from what it stored', async () => {
    const { cache, reads } = cacheOn(await connect());
    expect(await cache.read('7', 'plain', value('one'))).toEqual({ value: 'one', hit: false });
    expect(await cache.read('7', 'plain', neverLoaded)).toEqual({ value: 'one', hit: true });
    expect(await cache.read('7', 'other', value('two'))).toEqual({ value: 'two', hit: false });
    expect([await reads('hit'), await reads('miss'), await reads('away')]).toEqual([1, 2, 0]);
  });

  test.each(['', '0', 'null', 'false'])('keeps %j as a value', async (text) => {
    const { cache } = cacheOn(await connect());
    await cache.read('7', 'k', value(text));
    expect(await cache.read('7', 'k', neverLoaded)).toEqual({ value: text, hit: true });
  });

  test('loads a cold key once for all who ask at the same time', async () => {
    const { cache } = cacheOn(await connect());
    const slow = slowLoad();
    const all = Promise.all(Array.from({ length: 20 }, () => cache.read('7', 'k', slow.load)));
    await until('a load began', () => slow.calls() > 0);
    slow.resolve('one');
    expect(new Set((await all).map((read) => read.value))).toEqual(new Set(['one']));
    expect(slow.calls()).toBe(1);
  });

  test('passes a failed load on to all who wait, and loads anew afterwards', async () => {
    const { cache } = cacheOn(await connect());
    const slow = slowLoad();
    const all = Promise.allSettled([cache.read('7', 'k', slow.load), cache.read('7', 'k', slow.load)]);
    await until('a load began', () => slow.calls() > 0);
    slow.reject(new Error('no database'));
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await cache.read('7', 'k', value('two'))).toEqual({ value: 'two', hit: false });
  });

  test('ends the groups that changed, and only these', async () => {
    const { cache } = cacheOn(await connect());
    for (const group of ['1', '2', '3']) await cache.read(group, 'k', value('old'));
    await cache.end(['1', '2']);
    expect((await cache.read('1', 'k', value('new'))).value).toBe('new');
    expect((await cache.read('2', 'k', value('new'))).value).toBe('new');
    expect((await cache.read('3', 'k', neverLoaded)).hit).toBe(true);
  });

  test('never reads what was loaded before the group ended, however late it was stored', async () => {
    const { cache } = cacheOn(await connect());
    const slow = slowLoad();
    const early = cache.read('7', 'k', slow.load);
    await until('the load began', () => slow.calls() === 1);
    await cache.end(['7']);
    const during = await cache.read('7', 'k', value('new'));
    slow.resolve('old');
    expect((await early).value).toBe('old');
    expect(during).toEqual({ value: 'new', hit: false });
    expect(await cache.read('7', 'k', neverLoaded)).toEqual({ value: 'new', hit: true });
  });

  test('forgets an entry at the end of its life, which the value may decide', async () => {
    const { cache } = cacheOn(await connect(), (text) => (text === 'short' ? 0.02 : 60));
    await cache.read('7', 'a', value('short'));
    await cache.read('7', 'b', value('long'));
    await until('the entry is gone', async () => !(await cache.read('7', 'a', value('again'))).hit);
    expect((await cache.read('7', 'b', neverLoaded)).hit).toBe(true);
  });
});

test('a cache in this process has a bound', async () => {
  const { cache } = cacheOn(undefined);
  for (let i = 0; i < 10_001; i += 1) await cache.read('all', String(i), value('x'));
  expect((await cache.read('all', '10000', neverLoaded)).hit).toBe(true);
  expect((await cache.read('all', '0', value('x'))).hit).toBe(false);
  for (let i = 0; i < 10_001; i += 1) await cache.read(String(i), 'k', value('x'));
  expect((await cache.read('10000', 'k', neverLoaded)).hit).toBe(true);
  expect((await cache.read('all', '0', value('x'))).hit).toBe(false);
});

test('caches of several processes are one through Redis', async () => {
  const redis = await open(connectTestRedis());
  const [one, two] = [cacheOn(redis).cache, cacheOn(redis).cache];
  await one.read('7', 'k', value('old'));
  expect(await two.read('7', 'k', neverLoaded)).toEqual({ value: 'old', hit: true });
  await two.end(['7']);
  expect(await one.read('7', 'k', value('new'))).toEqual({ value: 'new', hit: false });
});

describe('while Redis is away', () => {
  let server: RedisProcess;
  beforeAll(async () => {
    server = await startRedisProcess();
  });
  afterAll(() => server.kill());

  test('every read loads, those at the same time together', async () => {
    const redis = await open(connectTo(server));
    const { cache, reads } = cacheOn(redis);
    await server.kill();
    await until('the connection is lost', () => !redis.isReady());
    expect(await cache.read('7', 'k', value('one'))).toEqual({ value: 'one', hit: false });
    expect(await cache.read('7', 'k', value('two'))).toEqual({ value: 'two', hit: false });
    const slow = slowLoad();
    const all = Promise.all([cache.read('7', 'k', slow.load), cache.read('7', 'k', slow.load)]);
    await until('a load began', () => slow.calls() > 0);
    slow.resolve('three');
    await all;
    expect(slow.calls()).toBe(1);
    expect(await reads('away')).toBe(4);
    await server.start();
    await until('redis is ready again', () => redis.isReady());
  });

  test('a group that ended meanwhile is ended for all once Redis goes on', async () => {
    const [here, there] = [await open(connectTo(server, 'p:')), await open(connectTo(server, 'p:'))];
    const { cache, metrics } = cacheOn(here);
    const other = cacheOn(there).cache;
    await cache.read('1', 'k', value('old'));
    await cache.read('2', 'k', value('old'));
    server.pause();
    await cache.end(['1']);
    await cache.end(['2']);
    expect((await cache.read('2', 'k', value('new'))).value).toBe('new');
    expect((await metrics.degraded.get()).values[0]).toMatchObject({ labels: { feature: 'cache_thing' } });
    server.resume();
    await until('redis is used again', () => here.isReady());
    expect((await cache.read('2', 'k', value('new'))).value).toBe('new');
    await until(
      'the other process sees it',
      async () => (await other.read('1', 'k', value('new'))).value === 'new',
    );
    await until(
      'the other process sees it',
      async () => (await other.read('2', 'k', value('new'))).value === 'new',
    );
  });

  test('a group that ended during an outage is ended after the reconnection', async () => {
    const redis = await open(connectTo(server, 'q:'));
    const { cache } = cacheOn(redis);
    await server.kill();
    await until('the connection is lost', () => !redis.isReady());
    await cache.end(['7']);
    await server.start();
    await until('redis is ready again', () => redis.isReady());
    await until('it was ended', async () => (await redis.client.exists('q:generation:thing:7')) === 1);
  });
});
