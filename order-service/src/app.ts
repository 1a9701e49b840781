import { createHttpApp, type HttpAppOptions } from '@shop/service-kit/http/create-http-app';
import { createMoney } from '@shop/service-kit/money/money';
import { createAccessTokenVerifier } from '@shop/service-kit/tokens/access-token';
import type { Express } from 'express';
import type { ProductClient } from './clients/product.client.ts';
import type { OrderConfig } from './config.ts';
import type { PrismaClient } from './generated/prisma/client.ts';
import { createOrderRepository } from './orders/order.repository.ts';
import { orderRoutes } from './orders/order.routes.ts';
import { createOrderUseCases } from './orders/order.use-cases.ts';
import type { PlacementMetrics } from './placement/placement.metrics.ts';
import { createPlacementRepository } from './placement/placement.repository.ts';
import { placementRoutes } from './placement/placement.routes.ts';
import { createPlacementUseCases } from './placement/placement.use-cases.ts';

interface AppOptions extends Pick<HttpAppOptions, 'logger' | 'metrics' | 'redis' | 'revocations' | 'health'> {
  config: OrderConfig;
  db: PrismaClient;
  products: ProductClient;
  placementMetrics: PlacementMetrics;
}

/** Wires the features to what they need. No I/O of its own. */
export function createApp({ config, db, products, placementMetrics, ...http }: AppOptions): Express {
  const money = createMoney(config.CURRENCY);
  const orders = createOrderUseCases({ orders: createOrderRepository(db), products });
  const placement = createPlacementUseCases({
    placements: createPlacementRepository({ db, deadline: config.PLACEMENT_DEADLINE }),
    products,
    money,
    metrics: placementMetrics,
  });
  return createHttpApp({
    ...http,
    service: 'order-service',
    description: 'Orders: placing them, following them, cancelling them.',
    routes: [...placementRoutes(placement, money), ...orderRoutes(orders, money)],
    config,
    accessTokens: createAccessTokenVerifier(config.JWT_SECRET_KEY),
  });
}
