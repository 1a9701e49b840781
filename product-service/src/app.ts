import type { Accounts } from '@shop/service-kit/accounts/accounts';
import { createHttpApp } from '@shop/service-kit/http/create-http-app';
import type { Query } from '@shop/service-kit/postgres/query';
import type { RedisConnection } from '@shop/service-kit/redis/connect';
import type { Runtime } from '@shop/service-kit/runtime/run-server';
import type { AccessKeys } from '@shop/service-kit/tokens/access-keys';
import { catalogueFileRoutes } from './catalogue-files/catalogue-file.routes.ts';
import { createExportUseCases } from './catalogue-files/export.use-cases.ts';
import { createImportRepository } from './catalogue-files/import.repository.ts';
import { createImportUseCases } from './catalogue-files/import.use-cases.ts';
import type { ProductConfig } from './config.ts';
import { registerReservationMetrics } from './inventory/reservation.metrics.ts';
import { reservationRoutes } from './inventory/reservation.routes.ts';
import { createReservationUseCases } from './inventory/reservation.use-cases.ts';
import { createStockRepository } from './inventory/stock.repository.ts';
import { stockRoutes } from './inventory/stock.routes.ts';
import { createStockUseCases } from './inventory/stock.use-cases.ts';
import type { Catalogue } from './products/catalogue.ts';
import { productRoutes } from './products/product.routes.ts';
import { createProductUseCases } from './products/product.use-cases.ts';

/** Share of the connections that may wait for locked products; the others stay free for other requests. */
const MAY_WAIT = 0.4;

export interface AppOptions extends Runtime<ProductConfig> {
  query: Query;
  catalogue: Catalogue;
  /** Without it limits are kept in this process. */
  redis: RedisConnection | undefined;
  accounts: Accounts;
  accessKeys: AccessKeys;
}

/** The HTTP side of product-service, wired from its parts. */
export function createApp({ query, catalogue, ...http }: AppOptions) {
  const { config, metrics, accessKeys } = http;
  const { money, schemas, repository, cache } = catalogue;
  const products = createProductUseCases({
    products: repository,
    cache,
    schemas,
    creation: config.PRODUCT_CREATION,
  });
  const imports = createImportUseCases({
    imports: createImportRepository(query),
    schemas,
    catalogueChanged: cache.catalogueChanged,
    creation: config.PRODUCT_CREATION,
    budget: {
      rows: config.IMPORT_MAX_ROWS,
      failures: config.IMPORT_MAX_FAILURES,
      seconds: config.IMPORT_MAX_SECONDS,
    },
  });
  const exports = createExportUseCases({ findPage: repository.findPage, money });
  const stock = createStockUseCases({
    stock: createStockRepository(query),
    stockChanged: cache.stockChanged,
    forget: cache.forget,
  });
  const reservations = createReservationUseCases({
    query,
    stockChanged: cache.stockChanged,
    waiting: Math.ceil(config.DATABASE_POOL * MAY_WAIT),
    timeLimitFactor: config.TIME_LIMIT_FACTOR,
  });
  registerReservationMetrics(metrics.registry, query);
  return createHttpApp({
    ...http,
    service: 'product-service',
    description: 'The catalogue and its stock.',
    tags: {
      Products: 'Browse, search and change the catalogue.',
      Stock: 'How many units there are, and why.',
      Files: 'Import and export many products at once.',
    },
    routes: [
      ...productRoutes({ products, schemas }),
      ...catalogueFileRoutes({ imports, exports, schemas, maxBytes: config.IMPORT_MAX_BYTES }),
      ...stockRoutes({ stock, schemas }),
      ...reservationRoutes(reservations, config.CURRENCY),
    ],
    // Without keys no token can be checked, but public reads work.
    checks: { required: { database: () => query`SELECT 1` }, optional: accessKeys.checks },
  });
}
