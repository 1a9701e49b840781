import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '../testing/until.ts';
import { openReplicas, type Replica } from './support/user-caches.ts';

let replicas: Awaited<ReturnType<typeof openReplicas>>;
let here: Replica;
let there: Replica;
beforeAll(async () => {
  replicas = await openReplicas();
  ({ here, there } = replicas);
});
afterAll(() => replicas.close());

/** Each test begins with a cache that is trusted, and with a user of its own. */
let user = 0;
beforeEach(async () => {
  user += 1;
  await replicas.areTrusted(100);
});

describe('a change that cannot be reported to Redis', () => {
  test('is seen by a replica that still reaches Redis', async () => {
    await until('it is stored', async () => (await there.read(user)).hit);
    replicas.link.sever();
    await here.change(user);
    expect(await there.read(user)).toEqual({ n: 1, hit: false });
    replicas.link.mend();
    await until('the link is used again', () => here.redis.isReady());
  });

  test('is seen when Redis took it and its responses were lost', async () => {
    await until('it is stored', async () => (await there.read(user)).hit);
    replicas.link.slowDown(1000);
    await here.change(user);
    replicas.link.slowDown(0);
    expect(await there.read(user)).toEqual({ n: 1, hit: false });
    await until('the link is used again', () => here.redis.isReady());
  });

  test('is seen as soon as a paused Redis goes on', async () => {
    await until('it is stored', async () => (await there.read(user)).hit);
    replicas.server.pause();
    await here.change(user);
    replicas.server.resume();
    expect((await there.read(user)).n).toBe(1);
    await until('redis is used again', () => there.redis.isReady() && here.redis.isReady());
    expect((await there.read(user)).n).toBe(1);
  });

  test('makes no replica go without the cache', async () => {
    replicas.link.sever();
    await here.change(user);
    await there.read(user);
    await until('it is stored', async () => (await there.read(user)).hit);
    expect(await replicas.counters.isDistrusted()).toBe(false);
    replicas.link.mend();
    await until('the link is used again', () => here.redis.isReady());
  });

  test('is of no concern to the replicas if it did not take place: its request does not wait for them', async () => {
    const epoch = await replicas.counters.epoch();
    replicas.link.sever();
    const failing = here.cache.whilePreparing([user], () => Promise.reject(new Error('unavailable')));
    await expect(failing).rejects.toThrow('unavailable');
    const now = await replicas.counters.epoch();
    replicas.link.mend();
    await until('the link is used again', () => here.redis.isReady());
    expect(now).toBe(epoch);
  });

  test('waits for the other replicas twice, not with each change of an outage', async () => {
    const patient = await replicas.counters.replica(`redis://127.0.0.1:${replicas.link.port}`, 60_000);
    replicas.link.sever();
    for (let i = 0; i < 2; i += 1) await patient.change(user);
    const epoch = await replicas.counters.epoch();
    for (let i = 0; i < 20; i += 1) await patient.change(user);
    expect(await replicas.counters.epoch()).toBe(epoch);
    expect(await replicas.counters.isDistrusted()).toBe(true);
    await replicas.counters.run("UPDATE cache_trust SET distrusted_until = '-infinity'");
    replicas.link.mend();
    await until('the link is used again', () => here.redis.isReady());
  });
});

describe('a process that dies between the commit and its report to Redis', () => {
  test('leaves nothing that could be read', async () => {
    const dying = await replicas.counters.replica(replicas.server.url);
    await until('it is stored', async () => (await there.read(user)).hit);
    void dying.cache.whileChanging([user], async () => {
      await replicas.counters.run(`UPDATE counters SET n = n + 1 WHERE user_id = ${user}`);
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
    await replicas.server.kill();
    await replicas.server.start();
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
    () => whilePassing(replicas.server.pause, replicas.server.resume),
    () => whilePassing(replicas.link.sever, replicas.link.mend),
    () => there.redis.client.flushall().catch(() => undefined),
    () =>
      whilePassing(
        () => replicas.link.slowDown(400),
        () => replicas.link.slowDown(0),
      ),
    () => replicas.server.kill().then(replicas.server.start),
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
});
