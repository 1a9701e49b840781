import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectTo, type RedisProcess, startRedisProcess } from '@shop/service-kit/testing/redis-process';
import { openSlowLink } from '@shop/service-kit/testing/slow-link';
import { connectTestRedis } from '@shop/service-kit/testing/test-redis';
import { until } from '@shop/service-kit/testing/until';
import {
  CONTRACT,
  cacheOn,
  database,
  LATER,
  neverLoaded,
  open,
  read,
  slowLoad,
  textOf,
  value,
} from './support/caches.ts';
import { pageOn } from './support/pages.ts';

/** A connection that the test cuts, while that of another process works. */
async function twoConnections() {
  const redis = await open(connectTestRedis());
  let isCut = false;
  const unlessCut =
    (send: typeof redis.run): typeof redis.run =>
    (commands) =>
      isCut ? Promise.reject(new Error('redis is unavailable')) : send(commands);
  const cut = { ...redis, run: unlessCut(redis.run), insist: unlessCut(redis.insist) };
  const whole = { ...(await open(connectTestRedis())), prefix: redis.prefix };
  return {
    cut,
    whole,
    setCut(is: boolean) {
      isCut = is;
    },
  };
}

describe('a change that cannot be reported to Redis', () => {
  test('shows here at once, and within a second where Redis is still read', async () => {
    const { cut, whole, setCut } = await twoConnections();
    const [here, there] = [cacheOn(cut), cacheOn(whole)];
    await here.cache.read('7', 'k', value('old'));
    expect(await textOf(there.cache, '7', 'k', neverLoaded)).toBe('old');
    setCut(true);
    await here.cache.invalidate(['7']);
    setCut(false);
    expect(await textOf(here.cache, '7', 'k', value('new'))).toBe('new');
    await sleep(CONTRACT);
    expect(await textOf(there.cache, '7', 'k', value('new'))).toBe('new');
    expect((await here.metrics.degraded.get()).values).toMatchObject([
      { labels: { feature: 'cache_thing' } },
    ]);
  });

  test('shows in the pages that are made of it, too, and what was kept before is never used again', async () => {
    const { cut, whole, setCut } = await twoConnections();
    const rows = new Map(['1', '2', '3'].map((id) => [id, 1]));
    const [one, two] = [pageOn(cut, rows), pageOn(whole, rows)];
    await one.readPart('2');
    await one.readPage();
    expect(await two.readPage()).toBe('1.1 2.1 3.1');
    setCut(true);
    await one.change('2');
    setCut(false);
    expect(await one.readPage()).toBe('1.1 2.2 3.1');
    await sleep(CONTRACT);
    expect(await two.readPage()).toBe('1.1 2.2 3.1');
    await sleep(CONTRACT);
    for (const shop of [one, two]) expect(await shop.readPage()).toBe('1.1 2.2 3.1');
  });

  test('begins no epoch when Redis takes it at the second attempt', async () => {
    const redis = await open(connectTestRedis());
    let attempts = 0;
    const insist: typeof redis.insist = (commands) =>
      redis.insist((client) => {
        attempts += 1;
        return attempts === 1 ? Promise.reject(new Error('lost')) : commands(client);
      });
    const { cache } = cacheOn({ ...redis, insist });
    await cache.read('7', 'k', value('old'));
    const epoch = await database.epoch();
    await cache.invalidate(['7']);
    expect(await textOf(cache, '7', 'k', value('new'))).toBe('new');
    expect([attempts, await database.epoch()]).toEqual([2, epoch]);
  });
});

describe('while Redis is unavailable', () => {
  let server: RedisProcess;
  beforeAll(async () => {
    server = await startRedisProcess();
  });
  afterAll(() => server.kill());

  test('each process loads for itself, once for all who ask at the same time', async () => {
    const redis = await open(connectTo(server));
    const { cache, reads } = cacheOn(redis);
    await server.kill();
    await until('the connection is lost', () => !redis.isReady());
    const slow = slowLoad();
    const all = Promise.all([cache.read('7', 'k', slow.load), cache.read('7', 'k', slow.load)]);
    await until('a load began', () => slow.calls() > 0);
    slow.resolve('one');
    await all;
    expect([slow.calls(), await reads('alone')]).toEqual([1, 1]);
    await cache.invalidate(['7']);
    expect(await read(cache, '7', 'k', value('two'))).toEqual({ text: 'two', hit: false });
    await server.start();
    await until('redis is ready again', () => redis.isReady());
  });

  test('a change shows as soon as a paused Redis goes on', async () => {
    const [here, there] = [await open(connectTo(server, 'p:')), await open(connectTo(server, 'p:'))];
    const [one, two] = [cacheOn(here).cache, cacheOn(there).cache];
    await one.read('7', 'k', value('old'));
    await sleep(CONTRACT);
    server.pause();
    await one.invalidate(['7']);
    server.resume();
    expect(await textOf(one, '7', 'k', value('new'))).toBe('new');
    await sleep(CONTRACT);
    expect(await textOf(two, '7', 'k', value('new'))).toBe('new');
  });

  test('no read misses what it must show, whatever happens to Redis meanwhile', async () => {
    const link = await openSlowLink(server.port);
    const rows = new Map(['1', '2', '3'].map((id) => [id, 1]));
    const [near, far] = [
      await open(connectTo({ ...server, url: `redis://127.0.0.1:${link.port}` }, 'm:')),
      await open(connectTo(server, 'm:')),
    ];
    const [here, there] = [pageOn(near, rows), pageOn(far, rows)];
    const stop = new AbortController();
    const reported: { shop: unknown; id: string; version: number; at: number }[] = [];
    const missed: string[] = [];
    const keepChanging = async (shop: typeof here) => {
      while (!stop.signal.aborted) {
        const id = String(1 + Math.floor(Math.random() * 3));
        const changing = shop.change(id);
        const version = rows.get(id) ?? 0;
        await changing;
        reported.push({ shop, id, version, at: performance.now() });
        await sleep(Math.random() * 60);
      }
    };
    const keepReading = async (shop: typeof here) => {
      while (!stop.signal.aborted) {
        const begunAt = performance.now();
        const due = reported.filter((change) => change.shop === shop || change.at < begunAt - CONTRACT);
        const page = await shop.readPage();
        for (const { id, version } of due)
          if (Number(new RegExp(`${id}\\.(\\d+)`).exec(page)?.[1]) < version)
            missed.push(`${page} without version ${version} of ${id}`);
        await sleep(5);
      }
    };
    const work = [here, there].flatMap((shop) => [keepChanging(shop), keepReading(shop), keepReading(shop)]);
    const whilePassing = async (begin: () => void, end: () => void) => {
      begin();
      await sleep(400);
      end();
    };
    const events = [
      () => whilePassing(server.pause, server.resume),
      () => whilePassing(link.sever, link.mend),
      () => far.client.flushall(),
      () =>
        whilePassing(
          () => link.slowDown(400),
          () => link.slowDown(0),
        ),
      () => server.kill().then(server.start),
    ];
    for (const event of events) {
      await until('both use Redis', () => near.isReady() && far.isReady());
      here.takeLoaded();
      await until('pages come from Redis again', async () => {
        await sleep(LATER);
        return here.takeLoaded().length + there.takeLoaded().length === 0;
      });
      await event();
    }
    stop.abort();
    await Promise.all(work);
    link.close();
    expect(missed).toEqual([]);
  });
});
