import { openDatabase } from '@shop/service-kit/postgres/open-database';
import { connectRedis } from '@shop/service-kit/redis/connect';
import { createRevocations } from '@shop/service-kit/redis/revocations';
import { runServer } from '@shop/service-kit/runtime/run-server';
import { openAccessKeys } from '@shop/service-kit/tokens/access-keys';
import { createApp } from './app.ts';
import { loadProductConfig } from './config.ts';
import { PrismaClient } from './generated/prisma/client.ts';

/** Seconds that an access token lives (the HTTP contract): older revocations can be forgotten. */
const ACCESS_TOKEN_LIFETIME = 3600;

await runServer({
  service: 'product-service',
  loadConfig: () => loadProductConfig(process.env),
  async start(runtime) {
    const { config, logger } = runtime;
    const { close, adapter, ...queries } = openDatabase(config.DATABASE_URL, config.DATABASE_POOL, logger);
    const db = new PrismaClient({ adapter });
    const redis = config.REDIS_URL === undefined ? undefined : connectRedis(config.REDIS_URL, logger);
    const revocations = createRevocations({ redis, logger, tokenLifetime: ACCESS_TOKEN_LIFETIME });
    const accessKeys = openAccessKeys(config, logger);
    return {
      app: createApp({ ...runtime, db, ...queries, redis, revocations, accessKeys }),
      async close() {
        accessKeys.close();
        revocations.close();
        await db.$disconnect();
        await close();
        await redis?.close();
      },
    };
  },
});
