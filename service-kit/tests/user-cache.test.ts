import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openSlowLink, type SlowLink } from '../src/testing/slow-link.ts';
import { type RedisProcess, startRedisProcess } from './support/redis-process.ts';
import { until } from './support/until.ts';
import { type Counters, openCounters, type Replica } from './support/user-caches.ts';

let server: RedisProcess;
let link: SlowLink;
let counters: Counters;
/** It reaches Redis through the link. */
let here: Replica;
let there: Replica;

beforeAll(async () => {
  server = await startRedisProcess(await mkdtemp(join(tmpdir(), 'kit-redis-')));
  link = await openSlowLink(server.port);
  counters = await openCounters();
  here = await counters.replica(`redis://127.0.0.1:${link.port}`);
  there = await counters.replica(server.url);
});
afterAll(async () => {
  await counters.close();
  link.close();
  await server.kill();
});

/** Each test begins with a cache that is trusted, and with a user of its own. */
let user = 0;
beforeEach(async () => {
  user += 1;
  await until('both replicas use the cache', async () => {
    await here.read(100);
    await there.read(100);
    return (await here.read(100)).hit && (await there.read(100)).hit;
  });
});

describe('what is kept of a user', () => {
  test('is read without a query on every replica, until it changes', async () => {
    expect(await here.read(user)).toEqual({ n: 0, hit: false });
    await until('it is stored', async () => (await there.read(user)).hit);
    await here.change(user);
    expect(await there.read(user)).toEqual({ n: 1, hit: false });
    await until('it is stored', async () => (await here.read(user)).hit);
    expect(await here.read(user)).toEqual({ n: 1, hit: true });
  });

  test('is neither read nor stored while a change is being made', async () => {
    await here.read(user);
    let goOn: () => void = () => undefined;
    const changing = here.cache.whileChanging([user], () => new Promise<void>((resolve) => (goOn = resolve)));
    await until('the change has begun', async () => !(await there.read(user)).hit);
    for (let i = 0; i < 3; i += 1) expect(await there.read(user)).toEqual({ n: 0, hit: false });
    goOn();
    await changing;
    await there.read(user);
    await until('it is stored again', async () => (await there.read(user)).hit);
  });

  test('stays out of use while one of two changes is still being made', async () => {
    const ends = new Map<Replica, () => void>();
    const changes = [here, there].map((replica) =>
      replica.cache.whileChanging([user], () => new Promise<void>((resolve) => ends.set(replica, resolve))),
    );
    await until('both have begun', () => ends.size === 2);
    ends.get(there)?.();
    await changes[1];
    await there.read(user);
    expect((await there.read(user)).hit).toBe(false);
    ends.get(here)?.();
    await changes[0];
    await there.read(user);
    await until('it is stored again', async () => (await there.read(user)).hit);
  });

  test('is not what was loaded before a change, however late it is stored', async () => {
    let goOn: () => void = () => undefined;
    let hasLoaded = false;
    const slow = there.cache.read(user, 'n', async () => {
      const loaded = await there.load(user);
      hasLoaded = true;
      await new Promise<void>((resolve) => (goOn = resolve));
      return loaded;
    });
    await until('it is loaded', () => hasLoaded);
    await here.change(user);
    goOn();
    await slow;
    await sleep(50);
    expect((await there.read(user)).n).toBe(1);
  });

  test('is given up when the change fails, for nobody knows what was committed', async () => {
    await here.read(user);
    const failing = here.cache.whileChanging([user], () => Promise.reject(new Error('lost')));
    await expect(failing).rejects.toThrow('lost');
    expect((await there.read(user)).hit).toBe(false);
  });

  test('has a bound for each response and for each user', async () => {
    const big = async () => ({ etag: '"b"', bytes: Buffer.alloc(100_001) });
    await here.cache.read(user, 'big', big);
    await sleep(50);
    expect((await here.cache.read(user, 'big', big)).hit).toBe(false);
    const small = async () => ({ etag: '"s"', bytes: Buffer.from('s') });
    for (let i = 0; i < 60; i += 1) await here.cache.read(user, `k${i}`, small);
    await until('the last is stored', async () => (await here.cache.read(user, 'k59', small)).hit);
    const [group = ''] = await here.redis.client.keys(`counters:cache:*:counter:${user}`);
    expect(await here.redis.client.hlen(group)).toBeLessThan(50);
  });

  test('is not kept where the load says so, nor at all without Redis', async () => {
    const passing = async () => ({ etag: '"p"', bytes: Buffer.from('p'), keep: false });
    await here.cache.read(user, 'p', passing);
    await sleep(50);
    expect((await here.cache.read(user, 'p', passing)).hit).toBe(false);
    const alone = await counters.replica(undefined);
    await alone.change(user);
    for (let i = 0; i < 2; i += 1) expect(await alone.read(user)).toEqual({ n: 1, hit: false });
  });
});

describe('a change that cannot be reported to Redis', () => {
  test('is seen by a replica that still reaches Redis', async () => {
    await until('it is stored', async () => (await there.read(user)).hit);
    link.sever();
    await here.change(user);
    expect(await there.read(user)).toEqual({ n: 1, hit: false });
    link.mend();
    await until('the link is used again', () => here.redis.isReady());
  });

  test('is seen when Redis took it and its responses were lost', async () => {
    await until('it is stored', async () => (await there.read(user)).hit);
    link.slowDown(1000);
    await here.change(user);
    link.slowDown(0);
    expect(await there.read(user)).toEqual({ n: 1, hit: false });
    await until('the link is used again', () => here.redis.isReady());
  });

  test('is seen as soon as a paused Redis goes on', async () => {
    await until('it is stored', async () => (await there.read(user)).hit);
    server.pause();
    await here.change(user);
    server.resume();
    expect((await there.read(user)).n).toBe(1);
    await until('redis is used again', () => there.redis.isReady() && here.redis.isReady());
    expect((await there.read(user)).n).toBe(1);
  });

  test('makes no replica go without the cache', async () => {
    link.sever();
    await here.change(user);
    await there.read(user);
    await until('it is stored', async () => (await there.read(user)).hit);
    expect(await counters.isDistrusted()).toBe(false);
    link.mend();
    await until('the link is used again', () => here.redis.isReady());
  });

  test('waits for the other replicas twice, not with each change of an outage', async () => {
    const patient = await counters.replica(`redis://127.0.0.1:${link.port}`, 60_000);
    link.sever();
    for (let i = 0; i < 2; i += 1) await patient.change(user);
    const epoch = await counters.epoch();
    for (let i = 0; i < 20; i += 1) await patient.change(user);
    expect(await counters.epoch()).toBe(epoch);
    expect(await counters.isDistrusted()).toBe(true);
    await counters.run("UPDATE cache_trust SET distrusted_until = '-infinity'");
    link.mend();
    await until('the link is used again', () => here.redis.isReady());
  });
});

describe('a process that dies between the commit and its report to Redis', () => {
  test('leaves nothing that could be read', async () => {
    const dying = await counters.replica(server.url);
    await until('it is stored', async () => (await there.read(user)).hit);
    void dying.cache.whileChanging([user], async () => {
      await counters.run(`UPDATE counters SET n = n + 1 WHERE user_id = ${user}`);
      await new Promise(() => undefined);
    });
    await until('it is committed', async () => (await there.load(user)).bytes.toString() === '1');
    for (let i = 0; i < 5; i += 1) expect(await there.read(user)).toEqual({ n: 1, hit: false });
  });
});

describe('a Redis that has lost or found something', () => {
  test('that was flushed gives no right to store what was loaded before', async () => {
    let goOn: () => void = () => undefined;
    let hasLoaded = false;
    const slow = there.cache.read(user, 'n', async () => {
      const loaded = await there.load(user);
      hasLoaded = true;
      await new Promise<void>((resolve) => (goOn = resolve));
      return loaded;
    });
    await until('it is loaded', () => hasLoaded);
    await here.change(user);
    await there.redis.client.flushall();
    goOn();
    await slow;
    await sleep(50);
    expect((await there.read(user)).n).toBe(1);
  });

  test('that was restarted with what it had saved serves nothing of it', async () => {
    await until('it is stored', async () => (await there.read(user)).hit);
    await there.redis.client.save();
    await here.change(user);
    await server.kill();
    await server.start();
    await until('redis is used again', () => there.redis.isReady() && here.redis.isReady());
    expect(Number(await there.redis.client.exists(...(await there.redis.client.keys('*'))))).toBeGreaterThan(
      0,
    );
    expect((await there.read(user)).n).toBe(1);
  });
});

test('no read misses a change that was acknowledged before, whatever happens to Redis meanwhile', async () => {
  const stop = new AbortController();
  const acknowledged = new Map<number, number>();
  const stale: string[] = [];
  let reads = 0;
  let hits = 0;
  const users = Array.from({ length: 8 }, (_, i) => 60 + i);
  const anyOf = <T>(all: T[]): T => all[Math.floor(Math.random() * all.length)] as T;
  const keepReading = async () => {
    while (!stop.signal.aborted) {
      const who = anyOf(users);
      const floor = acknowledged.get(who) ?? 0;
      const { n, hit } = await anyOf([here, there]).read(who);
      reads += 1;
      if (hit) hits += 1;
      if (n < floor) stale.push(`user ${who}: ${n} after ${floor}`);
      await sleep(1);
    }
  };
  const keepChanging = async (who: number) => {
    for (let n = 1; !stop.signal.aborted; n += 1) {
      await anyOf([here, there]).change(who);
      acknowledged.set(who, n);
      await sleep(Math.random() * 100);
    }
  };
  const work = [...Array.from({ length: 6 }, keepReading), ...users.map(keepChanging)];
  const whilePassing = async (begin: () => void, end: () => void) => {
    begin();
    await sleep(300);
    end();
  };
  const events = [
    () => whilePassing(server.pause, server.resume),
    () => whilePassing(link.sever, link.mend),
    () => there.redis.client.flushall().catch(() => undefined),
    () =>
      whilePassing(
        () => link.slowDown(400),
        () => link.slowDown(0),
      ),
    () => server.kill().then(server.start),
  ];
  for (const event of events) {
    await until('the cache is used', async () => (await here.read(99)).hit && (await there.read(99)).hit);
    await sleep(300);
    await event();
  }
  stop.abort();
  await Promise.all(work);
  expect(stale).toEqual([]);
  expect(hits).toBeGreaterThan(0);
  expect(reads).toBeGreaterThan(hits);
}, 60_000);
