import { databaseAdapter } from '@shop/service-kit/postgres/database-adapter';
import { connectRedis } from '@shop/service-kit/redis/connect';
import { createRevocations } from '@shop/service-kit/redis/revocations';
import { runServer } from '@shop/service-kit/runtime/run-server';
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
    const db = new PrismaClient({ adapter: databaseAdapter(config.DATABASE_URL, config.DATABASE_POOL) });
    const redis = config.REDIS_URL === undefined ? undefined : connectRedis(config.REDIS_URL, logger);
    const revocations = createRevocations({ redis, logger, tokenLifetime: ACCESS_TOKEN_LIFETIME });
    return {
      app: createApp({ ...runtime, db, redis, revocations }),
      async close() {
        revocations.close();
        await db.$disconnect();
        await redis?.close();
      },
    };
  },
});
