import { openAccounts } from '@shop/service-kit/accounts/open-accounts';
import { startJobs } from '@shop/service-kit/jobs/start-jobs';
import { openServiceDatabase } from '@shop/service-kit/postgres/open-database';
import { createCacheTrust } from '@shop/service-kit/redis/cache-trust';
import { openRedis } from '@shop/service-kit/redis/open-redis';
import { runServer } from '@shop/service-kit/runtime/run-server';
import { openAccessKeys } from '@shop/service-kit/tokens/access-keys';
import { createApp } from './app.ts';
import { importStatements } from './catalogue-files/import.repository.ts';
import { cleanupTasks } from './cleanup.jobs.ts';
import { loadProductConfig } from './config.ts';
import { createProductErasure } from './erasure/erasure.jobs.ts';
import { openCatalogue } from './products/catalogue.ts';

await runServer({
  service: 'product-service',
  loadConfig: () => loadProductConfig(process.env),
  async start(runtime) {
    const { config, logger, metrics } = runtime;
    const { close, ...queries } = openServiceDatabase(runtime);
    const redis = await openRedis(config.REDIS_URL, logger);
    const accessKeys = openAccessKeys(config, logger, metrics);
    const accounts = await openAccounts({ ...runtime, service: 'product-service' });
    const { query } = queries;
    const trust = createCacheTrust(query);
    const catalogue = openCatalogue({ ...queries, redis, trust, metrics, currency: config.CURRENCY });
    const { catalogueChanged } = catalogue.cache;
    const erasure = createProductErasure({ query, readChanges: accounts.readChanges, catalogueChanged });
    const jobs = startJobs({
      ...runtime,
      query,
      tasks: erasure.tasks,
      statements: importStatements,
      periodic: { ...cleanupTasks(query), ...erasure.periodic },
    });
    return {
      app: createApp({ ...runtime, query, catalogue, redis, accounts, accessKeys }),
      async close() {
        await jobs.close();
        accessKeys.close();
        accounts.close();
        await close();
        await redis?.close();
      },
    };
  },
});
