import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { defineRoute } from '../src/http/define-route.ts';
import type { Limit } from '../src/http/rate-limit.ts';
import { connectRedis, type RedisConnection } from '../src/redis/connect.ts';
import { connectTo, type RedisProcess, startRedisProcess } from '../testing/redis-process.ts';
import { connectTestRedis } from '../testing/test-redis.ts';
import { bearer } from '../testing/test-tokens.ts';
import { until } from '../testing/until.ts';
import { createTestApp, silent } from './support/test-app.ts';

const routeOf = (limit: string) =>
  defineRoute({
    method: 'get',
    path: `/${limit}`,
    summary: 'Limited',
    who: 'anyone',
    limit,
    status: 200,
    response: z.object({}),
    handler: () => ({}),
  });
const routes = [routeOf('order_reads'), routeOf('login')];
const limits: Record<string, Limit> = {
  order_reads: { max: 2, seconds: 600, withoutRedis: 'pass' },
  login: { max: 2, seconds: 600, withoutRedis: 'count', perAddress: true },
};

const opened: RedisConnection[] = [];
const open = async (connection: Promise<RedisConnection> | RedisConnection) => {
  opened.push(await connection);
  return connection;
};
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
});

type Config = { TRUST_PROXY?: number; RATE_LIMIT_ENABLED?: boolean };
const appWith = (redis?: RedisConnection, config: Config = {}) =>
  createTestApp({ routes, redis, config: { limits, ...config } });
type App = ReturnType<typeof appWith>['app'];

/** The statuses of several calls, made one after the other. */
async function statuses(app: App, path: string, count: number, headers: Record<string, string> = {}) {
  const seen: number[] = [];
  for (let i = 0; i < count; i += 1) seen.push((await request(app).get(path).set(headers)).status);
  return seen;
}

describe.each(['in this process', 'in Redis'])('a limit counted %s', (place) => {
  const connect = () => (place === 'in Redis' ? open(connectTestRedis()) : undefined);

  test('reports the requests left, then returns 429 with Retry-After', async () => {
    const { app } = appWith(await connect());
    const first = await request(app).get('/order_reads');
    expect(first.headers['ratelimit-policy']).toMatch(/^"order-reads"; q=2; w=600; pk=:.+:$/);
    expect(first.headers['ratelimit']).toMatch(/^"order-reads"; r=1; t=\d+$/);
    await request(app).get('/order_reads');
    const refused = await request(app).get('/order_reads');
    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({ code: 'rate_limited', title: 'Too Many Requests' });
    expect(refused.headers['retry-after']).toMatch(/^[1-9]\d{0,2}$/);
    expect(refused.headers['ratelimit']).toMatch(/r=0/);
  });

  test('counts signed-in users by id, others by address, and each limit separately', async () => {
    const { app } = appWith(await connect());
    const [one, two] = [{ Authorization: bearer(1) }, { Authorization: bearer(2) }];
    expect(await statuses(app, '/order_reads', 3, one)).toEqual([200, 200, 429]);
    expect(await statuses(app, '/order_reads', 3, two)).toEqual([200, 200, 429]);
    expect(await statuses(app, '/order_reads', 3)).toEqual([200, 200, 429]);
    expect(await statuses(app, '/login', 1)).toEqual([200]);
  });

  test('counts the users of an address together if it is per address', async () => {
    const { app } = appWith(await connect());
    const calls = [1, 2, 3].map((id) => ({ Authorization: bearer(id) }));
    const seen: number[] = [];
    for (const headers of calls) seen.push(...(await statuses(app, '/login', 1, headers)));
    expect(seen).toEqual([200, 200, 429]);
  });
});

describe('the address of a client', () => {
  const from = (address: string) => ({ 'X-Forwarded-For': address });

  test('is not taken from X-Forwarded-For without a trusted proxy', async () => {
    const { app } = appWith();
    const seen = [];
    for (const n of [1, 2, 3]) seen.push(...(await statuses(app, '/login', 1, from(`203.0.113.${n}`))));
    expect(seen).toEqual([200, 200, 429]);
  });

  test('is the one that the trusted proxy reports, whatever the client sent', async () => {
    const { app } = appWith(undefined, { TRUST_PROXY: 1 });
    expect(await statuses(app, '/login', 3, from('203.0.113.1'))).toEqual([200, 200, 429]);
    expect(await statuses(app, '/login', 1, from('203.0.113.2'))).toEqual([200]);
    expect(await statuses(app, '/login', 1, from('198.51.100.9, 203.0.113.1'))).toEqual([429]);
  });

  test('is the same for a whole IPv6 /64, and different for each IPv4 written as IPv6', async () => {
    const { app } = appWith(undefined, { TRUST_PROXY: 1 });
    expect(await statuses(app, '/login', 2, from('2001:db8:1:1::1'))).toEqual([200, 200]);
    expect(await statuses(app, '/login', 1, from('2001:db8:1:1:ffff::2'))).toEqual([429]);
    expect(await statuses(app, '/login', 1, from('2001:db8:1:2::1'))).toEqual([200]);
    expect(await statuses(app, '/login', 3, from('::ffff:203.0.113.1'))).toEqual([200, 200, 429]);
    expect(await statuses(app, '/login', 1, from('::ffff:203.0.113.2'))).toEqual([200]);
  });
});

describe('limits of several processes', () => {
  test('are counted together through Redis', async () => {
    const redis = await open(connectTestRedis());
    const [one, two] = [appWith(redis).app, appWith(redis).app];
    expect(await statuses(one, '/login', 1)).toEqual([200]);
    expect(await statuses(two, '/login', 2)).toEqual([200, 429]);
    expect(await statuses(one, '/login', 1)).toEqual([429]);
  });

  test('admit a twentieth ahead, and count every request', async () => {
    const shared = await open(connectTestRedis());
    const config = { limits: { login: { max: 60, seconds: 600, withoutRedis: 'count' } } } as const;
    const appOf = () => createTestApp({ routes: [routeOf('login')], redis: shared, config }).app;
    const [one, two] = [appOf(), appOf()];
    expect(await statuses(one, '/login', 30)).toEqual(Array(30).fill(200));
    const [key = ''] = await shared.client.keys(`${shared.prefix}limit:login:*`);
    await until('all are reported', async () => (await shared.client.get(key)) === '30');
    const together = await Promise.all(
      Array.from({ length: 20 }, () => [one, two])
        .flat()
        .map((app) => request(app).get('/login')),
    );
    const admitted = together.filter(({ status }) => status === 200).length;
    // The first 30, and at most 3 ahead in each process.
    expect(admitted).toBeGreaterThanOrEqual(30);
    expect(admitted).toBeLessThanOrEqual(36);
    await until('all are reported', async () => (await shared.client.get(key)) === '70');
    expect(await statuses(one, '/login', 1)).toEqual([429]);
  });

  test('still work when Redis has lost its scripts', async () => {
    const redis = await open(connectTestRedis());
    const { app } = appWith(redis);
    expect(await statuses(app, '/login', 2)).toEqual([200, 200]);
    await redis.client.script('FLUSH');
    expect(await statuses(app, '/login', 1)).toEqual([429]);
  });
});

describe('limits', () => {
  test('are not applied when they are switched off', async () => {
    const { app } = appWith(undefined, { RATE_LIMIT_ENABLED: false });
    expect(await statuses(app, '/login', 4)).toEqual([200, 200, 200, 200]);
    expect((await request(app).get('/login')).headers).not.toHaveProperty('ratelimit');
  });

  test('must be configured for each name used by a route', () => {
    expect(() => createTestApp({ routes: [routeOf('unheard_of')], config: { limits } })).toThrow(
      'unheard_of',
    );
  });
});

describe('while Redis is unavailable', () => {
  let server: RedisProcess;
  beforeAll(async () => {
    server = await startRedisProcess();
  });
  afterAll(() => server.kill());

  test('limits work without a killed Redis, and use it again once it is back', async () => {
    const redis = await open(connectTo(server));
    const { app, metrics } = appWith(redis);
    expect(await statuses(app, '/order_reads', 3)).toEqual([200, 200, 429]);
    await server.kill();
    await until('the connection is lost', () => !redis.isReady());
    expect(await statuses(app, '/order_reads', 4)).toEqual([200, 200, 200, 200]);
    expect(await statuses(app, '/login', 3)).toEqual([200, 200, 429]);
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/redis_degraded_total\{[^}]*limit_order_reads[^}]*\} 4/);

    await server.start();
    await until('redis is ready again', () => redis.isReady());
    expect(await statuses(app, '/order_reads', 3)).toEqual([200, 200, 429]);
    expect(await statuses(app, '/login', 3)).toEqual([200, 200, 429]);
    const keys = (await redis.client.keys('kit:limit:*')).map((key) => key.replace(/:ip:.*/, ''));
    expect(keys.sort()).toEqual(['kit:limit:login', 'kit:limit:order_reads']);
  });

  test('a Redis that was down at the start is used once it is up', async () => {
    await server.kill();
    const redis = await open(connectRedis(server.url, silent, { prefix: 'late:' }));
    const { app } = appWith(redis);
    expect(await statuses(app, '/order_reads', 3)).toEqual([200, 200, 200]);
    await server.start();
    await until('redis is ready', () => redis.isReady());
    expect(await statuses(app, '/order_reads', 3)).toEqual([200, 200, 429]);
  });

  test('a paused Redis does not delay requests', async () => {
    const redis = await open(connectTo(server, 'paused:'));
    const { app } = appWith(redis);
    expect(await statuses(app, '/order_reads', 3)).toEqual([200, 200, 429]);
    server.pause();
    // All get a response while Redis is still paused: the first after one timeout, the others from memory or immediately.
    expect(await statuses(app, '/order_reads', 6)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await statuses(app, '/login', 3)).toEqual([200, 200, 429]);
    server.resume();
    await until('redis is used again', async () => (await statuses(app, '/order_reads', 1))[0] === 429);
  });
});
