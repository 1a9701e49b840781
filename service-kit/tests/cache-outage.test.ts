import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cacheOn, open, read, slowLoad, textOf, value } from './support/caches.ts';
import { connectTo, type RedisProcess, startRedisProcess } from './support/redis-process.ts';
import { until } from './support/until.ts';

describe('while Redis is away', () => {
  let server: RedisProcess;
  beforeAll(async () => {
    server = await startRedisProcess();
  });
  afterAll(() => server.kill());

  test('each process loads for itself what it does not keep', async () => {
    const redis = await open(connectTo(server));
    const { cache, reads } = cacheOn(redis);
    await server.kill();
    await until('the connection is lost', () => !redis.isReady());
    const slow = slowLoad();
    const all = Promise.all([cache.read('7', 'k', slow.load), cache.read('7', 'k', slow.load)]);
    await until('a load began', () => slow.calls() > 0);
    slow.resolve('one');
    await all;
    expect(slow.calls()).toBe(1);
    await sleep(800);
    expect(await read(cache, '7', 'k', value('two'))).toEqual({ text: 'two', hit: false });
    await cache.invalidate(['7']);
    expect(await read(cache, '7', 'k', value('three'))).toEqual({ text: 'three', hit: false });
    expect(await reads('alone')).toBe(3);
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
    await cache.invalidate(['1']);
    await cache.invalidate(['2']);
    expect(await textOf(cache, '2', 'k', value('new'))).toBe('new');
    expect((await metrics.degraded.get()).values[0]).toMatchObject({ labels: { feature: 'cache_thing' } });
    server.resume();
    await until('redis is used again', () => here.isReady());
    expect(await textOf(cache, '2', 'k', value('new'))).toBe('new');
    for (const group of ['1', '2'])
      await until(
        'the other process sees it',
        async () => (await textOf(other, group, 'k', value('new'))) === 'new',
      );
  });

  test('what has gathered is told once Redis goes on, however much it is, and holds up nothing else', async () => {
    const redis = await open(connectTo(server, 'r:'));
    const { cache } = cacheOn(redis);
    server.pause();
    const groups = Array.from({ length: 50_000 }, (_, i) => String(i));
    for (let i = 0; i < groups.length; i += 500) await cache.invalidate(groups.slice(i, i + 500));
    server.resume();
    await until('redis is used again', () => redis.isReady());
    await cache.invalidate(['after']);
    // A busy machine may let a question of the test's own time out.
    const asked = (question: Promise<number>) => question.catch(() => 0);
    await until('it is told', async () => (await asked(redis.client.exists('r:group:thing:after'))) === 1);
    await until('all are told', async () => (await asked(redis.client.dbsize())) >= groups.length, 60_000);
  }, 90_000);

  test('a group that ended during an outage is ended after the reconnection', async () => {
    const redis = await open(connectTo(server, 'q:'));
    const { cache } = cacheOn(redis);
    await server.kill();
    await until('the connection is lost', () => !redis.isReady());
    await cache.invalidate(['7']);
    await server.start();
    await until('redis is ready again', () => redis.isReady());
    await until('it was ended', async () => (await redis.client.exists('q:group:thing:7')) === 1);
  });
});
