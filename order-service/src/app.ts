import type { Accounts } from '@shop/service-kit/accounts/accounts';
import { createHttpApp } from '@shop/service-kit/http/create-http-app';
import { createMoney } from '@shop/service-kit/money/money';
import type { Query } from '@shop/service-kit/postgres/query';
import type { RedisConnection } from '@shop/service-kit/redis/connect';
import type { UserCache } from '@shop/service-kit/redis/user-cache';
import type { Runtime } from '@shop/service-kit/runtime/run-server';
import type { AccessKeys } from '@shop/service-kit/tokens/access-keys';
import type { Express } from 'express';
import type { ProductClient } from './clients/product.client.ts';
import type { OrderConfig } from './config.ts';
import { createOrderReads } from './orders/order.reads.ts';
import { createOrderRepository } from './orders/order.repository.ts';
import { orderRoutes } from './orders/order.routes.ts';
import { createOrderUseCases } from './orders/order.use-cases.ts';
import type { PlacementMetrics } from './placement/placement.metrics.ts';
import { createPlacementRepository } from './placement/placement.repository.ts';
import { placementRoutes } from './placement/placement.routes.ts';
import { createPlacementUseCases } from './placement/placement.use-cases.ts';

export interface AppOptions extends Runtime<OrderConfig> {
  query: Query;
  products: ProductClient;
  placementMetrics: PlacementMetrics;
  /** If missing, rate limits are counted in this process. */
  redis: RedisConnection | undefined;
  orderCache: UserCache;
  accounts: Accounts;
  accessKeys: AccessKeys;
}

export function createApp({
  query,
  products,
  placementMetrics,
  orderCache: cache,
  ...http
}: AppOptions): Express {
  const { config, logger } = http;
  const money = createMoney(config.CURRENCY);
  const orders = createOrderUseCases({ orders: createOrderRepository(query), products, cache });
  const placement = createPlacementUseCases({
    placements: createPlacementRepository({
      query,
      deadline: config.PLACEMENT_DEADLINE,
      lease: config.KEY_LEASE,
    }),
    products,
    money,
    metrics: placementMetrics,
    cache,
    logger,
    lease: config.KEY_LEASE,
    timeLimitFactor: config.TIME_LIMIT_FACTOR,
  });
  const reads = createOrderReads({ orders, cache, money });
  return createHttpApp({
    ...http,
    service: 'order-service',
    description: 'Orders: place, follow and cancel them.',
    tags: { Orders: 'Place orders, follow them, change their status, cancel them.' },
    routes: [...placementRoutes(placement, money), ...orderRoutes({ orders, reads, money })],
    checks: { required: { database: () => query`SELECT 1`, ...http.accessKeys.checks } },
  });
}
