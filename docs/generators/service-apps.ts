import { unknownAccounts } from '@shop/service-kit/accounts/accounts';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import { openAccessKeys } from '@shop/service-kit/tokens/access-keys';
import type { Express } from 'express';
import { createApp as createOrderApp } from '../../order-service/src/app.ts';
import { loadOrderConfig } from '../../order-service/src/config.ts';
import { createPlacementMetrics } from '../../order-service/src/placement/placement.metrics.ts';
import { createApp as createProductApp } from '../../product-service/src/app.ts';
import { loadProductConfig } from '../../product-service/src/config.ts';
import { openCatalogue } from '../../product-service/src/products/catalogue.ts';
import { createApp as createUserApp } from '../../user-service/src/app.ts';
import { loadUserConfig } from '../../user-service/src/config.ts';

/** No request is ever sent to these apps: only their declarations are read. */
const ENVIRONMENT = {
  DATABASE_URL: 'postgresql://localhost/unused',
  JWT_SECRET_KEY: 'only-declarations-are-read-0123456789',
  SERVICE_TOKEN_SECRET: 'no-request-is-ever-sent-0123456789',
};
const unused = {} as never;

/** The three services with their default settings, without databases. */
export function serviceApps(): Record<'user' | 'product' | 'order', Express> {
  const runtimeOf = <Config extends Parameters<typeof openAccessKeys>[0]>(name: string, config: Config) => {
    const logger = createLogger(name, 'silent');
    const metrics = createMetrics(name);
    return {
      config,
      logger,
      metrics,
      isStopping: () => false,
      db: unused,
      query: unused,
      redis: undefined,
      accounts: unknownAccounts,
      accessKeys: openAccessKeys(config, logger, metrics),
    };
  };
  const product = runtimeOf('product-service', loadProductConfig(ENVIRONMENT));
  const catalogue = openCatalogue({
    ...product,
    unprepared: unused,
    trust: unused,
    currency: product.config.CURRENCY,
  });
  const order = runtimeOf('order-service', loadOrderConfig(ENVIRONMENT));
  return {
    user: createUserApp({
      ...runtimeOf('user-service', loadUserConfig(ENVIRONMENT)),
      unprepared: unused,
      change: unused,
      cache: unused,
      readChanges: unused,
      hasher: unused,
      queue: unused,
      audit: unused,
    }),
    product: createProductApp({ ...product, catalogue }),
    order: createOrderApp({
      ...order,
      products: unused,
      placementMetrics: createPlacementMetrics({ registry: order.metrics.registry, isDown: () => false }),
      orderCache: unused,
    }),
  };
}
