import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { createQuery } from '../../src/postgres/query.ts';
import { createCacheTrust } from '../../src/redis/cache-trust.ts';
import { connectRedis, type RedisConnection } from '../../src/redis/connect.ts';
import { createUserCache } from '../../src/redis/user-cache.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { createTestDatabase } from '../../src/testing/test-database.ts';
import { silent } from './test-app.ts';

/** Milliseconds: the cache must be trusted again soon. */
const DISTRUST = 1600;

const TABLES = `
  CREATE TABLE cache_trust (
    epoch uuid NOT NULL DEFAULT gen_random_uuid(), distrusted_until timestamptz NOT NULL DEFAULT '-infinity');
  INSERT INTO cache_trust DEFAULT VALUES;
  CREATE TABLE counters (user_id int PRIMARY KEY, n int NOT NULL);
  INSERT INTO counters SELECT n, 0 FROM generate_series(1, 100) AS n;`;

/** A database with a counter for each of 100 users, and replicas that show it through the cache. */
export async function openCounters() {
  const prismaFolder = await mkdtemp(join(tmpdir(), 'kit-counters-'));
  await mkdir(join(prismaFolder, 'migrations', '1'), { recursive: true });
  await writeFile(join(prismaFolder, 'schema.prisma'), 'datasource db {\n  provider = "postgresql"\n}\n');
  await writeFile(join(prismaFolder, 'migrations', '1', 'migration.sql'), TABLES);
  const database = await createTestDatabase({ name: 'kit_counters', prismaFolder });
  const watcher = new Pool({ connectionString: database.url, max: 1 });
  const closing: (() => Promise<unknown>)[] = [() => watcher.end()];
  return {
    run: database.run,
    /** Another one after each distrust. */
    async epoch(): Promise<unknown> {
      const { rows } = await watcher.query('SELECT epoch FROM cache_trust');
      return rows[0].epoch;
    },
    /** @param redisUrl of the one Redis, by whatever way this replica reaches it */
    async replica(redisUrl: string | undefined, distrust = DISTRUST) {
      const pool = new Pool({ connectionString: database.url, max: 5 });
      pool.on('error', () => undefined);
      const query = createQuery(pool);
      const redis =
        redisUrl === undefined ? undefined : connectRedis(redisUrl, silent, { prefix: 'counters:' });
      const metrics = createMetrics('kit');
      const trust = createCacheTrust(query, distrust);
      const cache = createUserCache({ name: 'counter', redis, trust, metrics });
      closing.push(async () => {
        await redis?.close();
        await pool.end();
      });
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
      for (const close of closing.reverse()) await close();
      await database.drop();
    },
  };
}

export type Counters = Awaited<ReturnType<typeof openCounters>>;
export type Replica = Awaited<ReturnType<Counters['replica']>>;
