import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Forbidden, OutOfTime } from '../src/errors/http-errors.ts';
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

  test('is used while a change is prepared, and not from its beginning to its end', async () => {
    await until('it is stored', async () => (await there.read(user)).hit);
    const steps: unknown[] = [];
    await here.cache.whilePreparing([user], async (begun) => {
      steps.push('prepared');
      await begun();
      steps.push(await there.read(user), await there.read(user));
    });
    expect(steps).toEqual(['prepared', { n: 0, hit: false }, { n: 0, hit: false }]);
    await until('it is stored again', async () => (await there.read(user)).hit);
  });

  test('is used again after a preparation that failed before its change began', async () => {
    const failing = here.cache.whilePreparing([user], () => Promise.reject(new Error('refused')));
    await expect(failing).rejects.toThrow('refused');
    await until('it is stored again', async () => (await there.read(user)).hit);
  });

  test('shares one command with others whose changes begin at the same time', async () => {
    const commands = here.redis.client as unknown as { cacheChange(...args: unknown[]): Promise<number> };
    const sent: unknown[] = [];
    const send = commands.cacheChange.bind(commands);
    commands.cacheChange = (...args) => {
      sent.push(args[0]);
      return send(...args);
    };
    await Promise.all(
      [1, 2, 3].map((i) => here.cache.whileChanging([user + i, user], async () => undefined)),
    );
    commands.cacheChange = send;
    expect(sent).toEqual([6, 6]);
    expect((await there.read(user)).hit).toBe(false);
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

  test('is used again after a change that was refused', async () => {
    for (const error of [new Forbidden(), Object.assign(new Error('taken'), { code: '23505' })]) {
      const refused = here.cache.whileChanging([user], () => Promise.reject(error));
      await expect(refused).rejects.toThrow(error);
      await until('it is stored again', async () => (await there.read(user)).hit);
    }
  });

  test('stays out of use after a change that may still be committed, whatever changes meanwhile', async () => {
    const lost = here.cache.whileChanging([user], () => Promise.reject(new OutOfTime()));
    await expect(lost).rejects.toThrow(OutOfTime);
    for (const n of [1, 2]) {
      for (let i = 0; i < 3; i += 1) expect(await there.read(user)).toEqual({ n: n - 1, hit: false });
      await replicas.counters.run(`UPDATE counters SET n = n + 1 WHERE user_id = ${user}`);
      expect(await there.read(user)).toEqual({ n, hit: false });
      if (n === 1) await there.cache.whileChanging([user], async () => undefined);
    }
    const [group = ''] = await here.redis.client.keys(`counters:cache:*:counter:${user}`);
    expect(await here.redis.client.pttl(group)).toBeGreaterThan(10_000);
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
    const alone = await replicas.counters.replica(undefined);
    await alone.change(user);
    for (let i = 0; i < 2; i += 1) expect(await alone.read(user)).toEqual({ n: 1, hit: false });
  });
});
