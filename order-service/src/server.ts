import { openAccounts } from '@shop/service-kit/accounts/open-accounts';
import { startJobs } from '@shop/service-kit/jobs/start-jobs';
import { openServiceDatabase } from '@shop/service-kit/postgres/open-database';
import { createCacheTrust } from '@shop/service-kit/redis/cache-trust';
import { openRedis } from '@shop/service-kit/redis/open-redis';
import { createUserCache } from '@shop/service-kit/redis/user-cache';
import { runServer } from '@shop/service-kit/runtime/run-server';
import { openAccessKeys } from '@shop/service-kit/tokens/access-keys';
import { createApp } from './app.ts';
import { createProductClient } from './clients/product.client.ts';
import { loadOrderConfig } from './config.ts';
import { createOrderErasure } from './erasure/erasure.jobs.ts';
import { createCompareRepository } from './placement/compare.repository.ts';
import { createCompareUseCases } from './placement/compare.use-cases.ts';
import { PARALLEL_JOBS, placementPeriodic, placementTasks } from './placement/placement.jobs.ts';
import { createPlacementMetrics } from './placement/placement.metrics.ts';
import { createReconcileRepository } from './placement/reconcile.repository.ts';
import { createReconcileUseCases } from './placement/reconcile.use-cases.ts';

await runServer({
  service: 'order-service',
  loadConfig: () => loadOrderConfig(process.env),
  async start(runtime) {
    const { config, logger, metrics } = runtime;
    const database = openServiceDatabase(runtime);
    const { query } = database;
    const redis = await openRedis(config.REDIS_URL, logger);
    const trust = createCacheTrust(query);
    const orderCache = createUserCache({ name: 'orders', redis, trust, metrics });
    const accessKeys = openAccessKeys(config, logger, metrics);
    const accounts = await openAccounts({ ...runtime, service: 'order-service' });
    const products = createProductClient({
      url: config.PRODUCT_SERVICE_URL,
      serviceTokenSecret: config.SERVICE_TOKEN_SECRET,
      currency: config.CURRENCY,
      metrics,
      timeLimitFactor: config.TIME_LIMIT_FACTOR,
    });
    const placementMetrics = createPlacementMetrics({
      registry: metrics.registry,
      isDown: products.isDown,
    });
    const app = createApp({
      ...runtime,
      query,
      redis,
      orderCache,
      accounts,
      accessKeys,
      products,
      placementMetrics,
    });

    const reconciling = createReconcileUseCases({
      repository: createReconcileRepository(query),
      products,
      metrics: placementMetrics,
      logger,
      heldTooLong: config.HELD_TOO_LONG,
    });
    const comparing = createCompareUseCases({ repository: createCompareRepository(query), products, logger });
    const erasure = createOrderErasure({ query, readChanges: accounts.readChanges, cache: orderCache });
    const jobs = startJobs({
      ...runtime,
      query,
      tasks: { ...placementTasks(products, logger), ...erasure.tasks },
      periodic: { ...placementPeriodic(reconciling, comparing, config), ...erasure.periodic },
      concurrency: PARALLEL_JOBS,
    });
    return {
      app,
      async close() {
        await jobs.close();
        accessKeys.close();
        accounts.close();
        products.close();
        await database.close();
        await redis?.close();
      },
    };
  },
});
