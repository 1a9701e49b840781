import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectRedis, type RedisConnection } from '../../src/redis/connect.ts';
import { createUserCache } from '../../src/redis/user-cache.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { startRedisProcess } from '../../testing/redis-process.ts';
import { openSlowLink } from '../../testing/slow-link.ts';
import { openTrustDatabase } from '../../testing/trust-database.ts';
import { until } from '../../testing/until.ts';
import { silent } from './test-app.ts';

const TABLES = `
  CREATE TABLE counters (user_id int PRIMARY KEY, n int NOT NULL);
  INSERT INTO counters SELECT n, 0 FROM generate_series(1, 100) AS n;`;

/** A database with a counter for each of 100 users, and replicas that show it through the cache. */
export async function openCounters() {
  const database = await openTrustDatabase('kit_counters', TABLES);
  const connections: RedisConnection[] = [];
  return {
    run: database.run,
    epoch: database.epoch,
    isDistrusted: database.isDistrusted,
    /** @param redisUrl of the one Redis, by whatever way this replica reaches it */
    async replica(redisUrl: string | undefined, distrust?: number) {
      const { query, trust } = database.replica(distrust);
      const redis =
        redisUrl === undefined ? undefined : connectRedis(redisUrl, silent, { prefix: 'counters:' });
      if (redis !== undefined) connections.push(redis);
      const metrics = createMetrics('kit');
      const cache = createUserCache({ name: 'counter', redis, trust, metrics });
      const load = async (user: number) => {
        const [row] = await query<{ n: number }[]>`SELECT n FROM counters WHERE user_id = ${user}::int`;
        return { etag: '"n"', bytes: Buffer.from(String(row?.n)) };
      };
      return {
        redis: redis as RedisConnection,
        cache,
        metrics,
        load,
        read: async (user: number) => {
          const { bytes, hit } = await cache.read(user, 'n', () => load(user));
          return { n: Number(bytes), hit };
        },
        change: (user: number) =>
          cache.whileChanging([user], async () => {
            await query`UPDATE counters SET n = n + 1 WHERE user_id = ${user}::int`;
          }),
      };
    },
    async close() {
      await Promise.all(connections.map((redis) => redis.close()));
      await database.close();
    },
  };
}

export type Counters = Awaited<ReturnType<typeof openCounters>>;
export type Replica = Awaited<ReturnType<Counters['replica']>>;

/** Two replicas of the cache on a Redis of their own; the first reaches it through a link that can be cut. */
export async function openReplicas() {
  const server = await startRedisProcess(await mkdtemp(join(tmpdir(), 'kit-redis-')));
  const link = await openSlowLink(server.port);
  const counters = await openCounters();
  const here = await counters.replica(`redis://127.0.0.1:${link.port}`);
  const there = await counters.replica(server.url);
  return {
    server,
    link,
    counters,
    here,
    there,
    /** Waits until both replicas read this user from the cache. */
    async areTrusted(user: number) {
      await until('both replicas use the cache', async () => {
        await here.read(user);
        await there.read(user);
        return (await here.read(user)).hit && (await there.read(user)).hit;
      });
    },
    async close() {
      await counters.close();
      link.close();
      await server.kill();
    },
  };
}
