import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { openPool } from '../src/postgres/open-pool.ts';
import { createQuery } from '../src/postgres/query.ts';
import { createCacheTrust } from '../src/redis/cache-trust.ts';
import { createTestDatabase } from './test-database.ts';

/** How long a distrust lasts, in milliseconds: the cache must be trusted again soon. */
const DISTRUST = 1600;

const TRUST_TABLE = `
  CREATE TABLE cache_trust (
    epoch uuid NOT NULL DEFAULT gen_random_uuid(), distrusted_until timestamptz NOT NULL DEFAULT '-infinity');
  INSERT INTO cache_trust DEFAULT VALUES;`;

/** A database with the epoch of the cache, and other tables. */
export async function openTrustDatabase(name: string, tables = '') {
  const prismaFolder = await mkdtemp(join(tmpdir(), `${name}-`));
  await mkdir(join(prismaFolder, 'migrations', '1'), { recursive: true });
  await writeFile(join(prismaFolder, 'schema.prisma'), 'datasource db {\n  provider = "postgresql"\n}\n');
  await writeFile(join(prismaFolder, 'migrations', '1', 'migration.sql'), `${TRUST_TABLE}\n${tables}`);
  const database = await createTestDatabase({ name, prismaFolder });
  const pools: Pool[] = [];
  const connect = () => {
    const pool = openPool({ connectionString: database.url, max: 5 });
    pool.on('error', () => undefined);
    pools.push(pool);
    return createQuery(pool);
  };
  const watch = connect();
  return {
    run: database.run,
    /** Another one after each `renew` and `distrust`. */
    epoch: async () => (await watch<{ epoch: string }[]>`SELECT epoch FROM cache_trust`)[0]?.epoch,
    isDistrusted: async () =>
      (await watch<{ is: boolean }[]>`SELECT distrusted_until > clock_timestamp() AS is FROM cache_trust`)[0]
        ?.is,
    /** The connections of one more replica. */
    replica(lasts = DISTRUST) {
      const query = connect();
      return { query, trust: createCacheTrust(query, lasts) };
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.end()));
      await database.drop();
    },
  };
}

export type TrustDatabase = Awaited<ReturnType<typeof openTrustDatabase>>;
