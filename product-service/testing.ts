import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { unknownAccounts } from '@shop/service-kit/accounts/accounts';
import { openServiceDatabase } from '@shop/service-kit/postgres/open-database';
import { createCacheTrust } from '@shop/service-kit/redis/cache-trust';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import { createTestDatabase, TEST_TIME_LIMIT_FACTOR } from '@shop/service-kit/testing/test-database';
import { connectTestRedis } from '@shop/service-kit/testing/test-redis';
import { openAccessKeys } from '@shop/service-kit/tokens/access-keys';
import type { Express } from 'express';
import { createApp } from './src/app.ts';
import { loadProductConfig } from './src/config.ts';
import { PrismaClient } from './src/generated/prisma/client.ts';
import { openCatalogue } from './src/products/catalogue.ts';

// The only file of product-service that tests of other services import.

export { createReservationRepository } from './src/inventory/reservation.repository.ts';

const PRISMA_FOLDER = fileURLToPath(new URL('prisma', import.meta.url));

/**
 * Starts product-service in this process on a database of its own.
 * @param closers gets the functions that stop it, to be called in order
 */
export async function startProductService(env: Record<string, string>, closers: (() => unknown)[]) {
  const database = await createTestDatabase({ name: 'product', prismaFolder: PRISMA_FOLDER });
  const config = loadProductConfig({
    TIME_LIMIT_FACTOR: String(TEST_TIME_LIMIT_FACTOR),
    ...env,
    DATABASE_URL: database.url,
  });
  const logger = createLogger('product-service', 'silent');
  const metrics = createMetrics('product-service');
  const opened = openServiceDatabase({ config, logger, metrics });
  const db = new PrismaClient({ adapter: new PrismaPg(opened.pool) });
  const redis = await connectTestRedis();
  const accessKeys = openAccessKeys(config, logger, metrics);
  const app = createApp({
    config,
    logger,
    metrics,
    isStopping: () => false,
    query: opened.query,
    catalogue: openCatalogue({
      ...opened,
      redis,
      trust: createCacheTrust(opened.query),
      metrics,
      currency: config.CURRENCY,
    }),
    redis,
    accounts: unknownAccounts,
    accessKeys,
  });
  const listening = createListener(app);
  const port = await listening.start(0);
  closers.push(
    () => database.drop(),
    () => redis.close(),
    () => opened.close(),
    () => db.$disconnect(),
    () => accessKeys.close(),
    () => listening.stop(),
  );
  return {
    url: `http://127.0.0.1:${port}`,
    databaseUrl: database.url,
    db,
    /** Refuses connections, like a process that has ended. */
    stop: () => listening.stop(),
    start: () => listening.start(port),
  };
}

/** A server that can be stopped and started again. */
export function createListener(app: Express) {
  let server: Server | undefined;
  return {
    async start(port: number): Promise<number> {
      if (server !== undefined) return port;
      const listening = createServer(app).listen(port, '127.0.0.1');
      server = listening;
      await once(listening, 'listening');
      return (listening.address() as AddressInfo).port;
    },
    async stop(): Promise<void> {
      if (server === undefined) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      server = undefined;
      await closed;
    },
  };
}
