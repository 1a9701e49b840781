import { parseArgs } from 'node:util';
import { openDatabase } from '@shop/service-kit/postgres/open-database';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import { fail } from '@shop/service-kit/runtime/run-server';
import { createProductClient } from './clients/product.client.ts';
import { loadOrderConfig } from './config.ts';
import { createCompareRepository } from './placement/compare.repository.ts';
import { createCompareUseCases } from './placement/compare.use-cases.ts';

const SERVICE = 'order-service';

/**
 * `npm run restore -- reconcile` runs it with the environment of order-service: compares all orders with all reservations,
 * repairs what differs and prints it as JSON. Exit code 2 if somebody must decide.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean' }, since: { type: 'string' } } });
  const config = loadOrderConfig(process.env);
  const logger = createLogger(SERVICE, 'silent');
  const { DATABASE_URL, DATABASE_PREPARED: prepared, TIME_LIMIT_FACTOR: timeLimitFactor } = config;
  const database = openDatabase(DATABASE_URL, 2, logger, { timeLimitFactor, prepared });
  const products = createProductClient({
    url: config.PRODUCT_SERVICE_URL,
    serviceTokenSecret: config.SERVICE_TOKEN_SECRET,
    currency: config.CURRENCY,
    metrics: createMetrics(SERVICE),
    timeLimitFactor,
  });
  try {
    const repository = createCompareRepository(database.query);
    const { compareSince } = createCompareUseCases({ repository, products, logger });
    const found = await compareSince(new Date(values.since ?? 0), { dryRun: values['dry-run'] === true });
    console.log(JSON.stringify(found));
    return found.short.length + found.cancelledLater.length > 0 ? 2 : 0;
  } finally {
    products.close();
    await database.close();
  }
}

process.exitCode = await main().catch((error: unknown) => fail(SERVICE, error));
