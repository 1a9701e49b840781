import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { type Accounts, unknownAccounts } from '@shop/service-kit/accounts/accounts';
import { startJobs } from '@shop/service-kit/jobs/start-jobs';
import { openServiceDatabase } from '@shop/service-kit/postgres/open-database';
import { createCacheTrust } from '@shop/service-kit/redis/cache-trust';
import { createUserCache } from '@shop/service-kit/redis/user-cache';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import { documented } from '@shop/service-kit/testing/documented';
import { createTestDatabase, TEST_TIME_LIMIT_FACTOR } from '@shop/service-kit/testing/test-database';
import { connectTestRedis } from '@shop/service-kit/testing/test-redis';
import { TEST_JWT_SECRET, TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import { openAccessKeys } from '@shop/service-kit/tokens/access-keys';
import type { Express } from 'express';
import { Registry } from 'prom-client';
import { createListener, startProductService } from '../../../product-service/testing.ts';
import { createApp } from '../../src/app.ts';
import { createProductClient } from '../../src/clients/product.client.ts';
import { loadOrderConfig } from '../../src/config.ts';
import { PrismaClient } from '../../src/generated/prisma/client.ts';
import { createCompareRepository } from '../../src/placement/compare.repository.ts';
import { createCompareUseCases } from '../../src/placement/compare.use-cases.ts';
import { PARALLEL_JOBS, placementPeriodic, placementTasks } from '../../src/placement/placement.jobs.ts';
import { createPlacementMetrics } from '../../src/placement/placement.metrics.ts';
import { createReconcileRepository } from '../../src/placement/reconcile.repository.ts';
import { createReconcileUseCases } from '../../src/placement/reconcile.use-cases.ts';

const PRISMA_FOLDER = fileURLToPath(new URL('../../prisma', import.meta.url));
/** The signal of a service that does not stop. */
const NEVER = new AbortController().signal;

/** order-service with a real product-service in this process, on databases of this test file. */
export async function startTestShop(
  env: Record<string, string> = {},
  options: { redis?: false; accounts?: Accounts } = {},
) {
  const closers: (() => unknown)[] = [];
  const shared = {
    JWT_SECRET_KEY: TEST_JWT_SECRET,
    SERVICE_TOKEN_SECRET: TEST_SERVICE_SECRET,
    RATE_LIMIT_ENABLED: 'false',
    TIME_LIMIT_FACTOR: String(TEST_TIME_LIMIT_FACTOR),
    ...env,
  };
  const products = await startProductService(shared, closers);
  const database = await createTestDatabase({ name: 'order', prismaFolder: PRISMA_FOLDER });
  const config = loadOrderConfig({
    ...shared,
    DATABASE_URL: database.url,
    PRODUCT_SERVICE_URL: products.url,
  });
  const logger = createLogger('order-service', 'silent');
  const metrics = createMetrics('order-service');
  const redis = options.redis === false ? undefined : await connectTestRedis();
  const orderDatabase = openServiceDatabase({ config, logger, metrics });
  const { query } = orderDatabase;
  const db = new PrismaClient({ adapter: new PrismaPg(orderDatabase.pool) });
  const client = createProductClient({
    url: products.url,
    serviceTokenSecret: config.SERVICE_TOKEN_SECRET,
    currency: config.CURRENCY,
    metrics,
    timeLimitFactor: config.TIME_LIMIT_FACTOR,
  });
  const placementMetrics = createPlacementMetrics({
    registry: metrics.registry,
    isDown: client.isDown,
  });
  const trust = createCacheTrust(query);
  const orderCache = createUserCache({ name: 'orders', redis, trust, metrics });
  const accessKeys = openAccessKeys(config, logger, metrics);
  const app: Express = documented(
    createApp({
      config,
      logger,
      metrics,
      isStopping: () => false,
      query,
      products: client,
      placementMetrics,
      redis,
      orderCache,
      accounts: options.accounts ?? unknownAccounts,
      accessKeys,
    }),
  );
  const listening = createListener(app);
  const url = `http://127.0.0.1:${await listening.start(0)}`;
  closers.push(() => listening.stop());
  const reconciling = createReconcileUseCases({
    repository: createReconcileRepository(query),
    products: client,
    metrics: placementMetrics,
    logger,
    heldTooLong: config.HELD_TOO_LONG,
  });
  const { removeKeys, removeRejected } = reconciling;
  const comparing = createCompareUseCases({
    repository: createCompareRepository(query),
    products: client,
    logger,
  });
  return {
    app,
    url,
    db,
    query,
    databaseUrl: database.url,
    client,
    products,
    metrics,
    orderCache,
    reconcile: (signal = NEVER) => reconciling.reconcile(signal),
    healReservations: (signal = NEVER) => reconciling.healReservations(signal),
    async cleanUp(signal: AbortSignal) {
      await removeKeys(signal);
      await removeRejected(signal);
    },
    /** @param calls replacements for calls of the product-service client in jobs */
    startJobs: (calls: Partial<typeof client> = {}) =>
      startJobs({
        config,
        query,
        logger,
        metrics: { registry: new Registry() },
        tasks: placementTasks({ ...client, ...calls }, logger),
        concurrency: PARALLEL_JOBS,
      }),
    /** Runs the periodic tasks of the service. @param registry gets their metrics */
    startPeriodic: (registry: Registry) =>
      startJobs({
        config,
        query,
        logger,
        metrics: { registry },
        periodic: placementPeriodic(reconciling, comparing, config),
      }),
    async close() {
      for (const close of closers.reverse()) await close();
      accessKeys.close();
      client.close();
      await db.$disconnect();
      await orderDatabase.close();
      await redis?.close();
      await database.drop();
    },
  };
}

export type TestShop = Awaited<ReturnType<typeof startTestShop>>;
