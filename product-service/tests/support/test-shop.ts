import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { type Accounts, unknownAccounts } from '@shop/service-kit/accounts/accounts';
import { openServiceDatabase } from '@shop/service-kit/postgres/open-database';
import type { Query } from '@shop/service-kit/postgres/query';
import { createCacheTrust } from '@shop/service-kit/redis/cache-trust';
import type { RedisConnection } from '@shop/service-kit/redis/connect';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import { documented } from '@shop/service-kit/testing/documented';
import { createTestDatabase, TEST_TIME_LIMIT_FACTOR } from '@shop/service-kit/testing/test-database';
import { connectTestRedis } from '@shop/service-kit/testing/test-redis';
import { TEST_JWT_SECRET, TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import { openAccessKeys } from '@shop/service-kit/tokens/access-keys';
import type { Express } from 'express';
import { Client } from 'pg';
import { createApp } from '../../src/app.ts';
import { loadProductConfig, type ProductConfig } from '../../src/config.ts';
import { PrismaClient } from '../../src/generated/prisma/client.ts';
import { type Catalogue, openCatalogue } from '../../src/products/catalogue.ts';

export interface TestShop extends Replica {
  /** Starts one more process of the service, with the same database and its own connections. */
  startReplica(options?: ReplicaOptions): Promise<Replica>;
  databaseUrl: string;
  /** Runs SQL directly, without a time limit. */
  run(sql: string): Promise<void>;
  /** A database session that the caller must close. */
  connect(): Promise<Client>;
  close(): Promise<void>;
}

export interface Replica {
  app: Express;
  db: PrismaClient;
  redis: RedisConnection;
  query: Query;
  config: ProductConfig;
  logger: typeof silent;
  catalogue: Catalogue;
}

export interface ReplicaOptions {
  /** Variables in addition to those that every test needs. */
  env?: Record<string, string>;
  /** Wraps the statements of the process, for example with a delay. */
  wrap?: (query: Query) => Query;
  exactTotals?: number;
  fewMatches?: number;
  /** False: no REDIS_URL, so caches and limits are kept in the process. */
  redis?: boolean;
  isStopping?: () => boolean;
  /** Its account changes; none by default. */
  accounts?: Accounts;
  /** Its log; silent by default. */
  logger?: typeof silent;
}

const silent = createLogger('product-service', 'silent');
const prismaFolder = join(import.meta.dirname, '../../prisma');

/** The whole service on a database of this test file, without rate limits unless the environment sets them. */
export async function startTestShop(options: ReplicaOptions = {}): Promise<TestShop> {
  const [database, redis] = await Promise.all([
    createTestDatabase({ name: 'product', prismaFolder }),
    connectTestRedis(),
  ]);
  const closing: (() => Promise<void> | void)[] = [() => redis.close()];

  const start = (
    connection: RedisConnection,
    { env, wrap = (query) => query, logger = silent, ...rest }: ReplicaOptions,
  ): Replica => {
    const config = loadProductConfig({
      DATABASE_URL: database.url,
      JWT_SECRET_KEY: TEST_JWT_SECRET,
      SERVICE_TOKEN_SECRET: TEST_SERVICE_SECRET,
      RATE_LIMIT_ENABLED: 'false',
      TIME_LIMIT_FACTOR: String(TEST_TIME_LIMIT_FACTOR),
      ...env,
    });
    const metrics = createMetrics('product-service');
    const opened = openServiceDatabase({ config, logger, metrics });
    const db = new PrismaClient({ adapter: new PrismaPg(opened.pool) });
    const used = rest.redis === false ? undefined : connection;
    const accessKeys = openAccessKeys(config, logger, metrics);
    closing.push(
      () => accessKeys.close(),
      () => db.$disconnect().then(() => opened.close()),
    );
    const query = wrap(opened.query);
    const catalogue = openCatalogue({
      query,
      unprepared: wrap(opened.unprepared),
      redis: used,
      trust: createCacheTrust(opened.query),
      metrics,
      currency: config.CURRENCY,
      exactTotals: rest.exactTotals,
      fewMatches: rest.fewMatches,
    });
    const app = documented(
      createApp({
        query,
        catalogue,
        redis: used,
        accounts: rest.accounts ?? unknownAccounts,
        accessKeys,
        logger,
        metrics,
        config,
        isStopping: rest.isStopping ?? (() => false),
      }),
    );
    return { app, db, query, redis: connection, config, logger, catalogue };
  };

  return {
    ...start(redis, options),
    async startReplica(replicaOptions = {}) {
      const own = await connectTestRedis();
      closing.push(() => own.close());
      return start({ ...own, prefix: redis.prefix }, replicaOptions);
    },
    databaseUrl: database.url,
    run: database.run,
    async connect() {
      const client = new Client({ connectionString: database.url });
      await client.connect();
      return client;
    },
    async close() {
      await Promise.all(closing.map((close) => close()));
      await database.drop();
    },
  };
}
