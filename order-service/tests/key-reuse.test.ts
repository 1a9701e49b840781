import { expect, test } from '@jest/globals';
import { createMoney } from '@shop/service-kit/money/money';
import fc from 'fast-check';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createPlacementMetrics } from '../src/placement/placement.metrics.ts';
import { createPlacementUseCases } from '../src/placement/placement.use-cases.ts';
import { createLife, createNetwork } from './support/simulated.network.ts';
import { createSimulatedOrders } from './support/simulated.orders.ts';
import { createSimulatedProducts } from './support/simulated.products.ts';
import { uncached } from './support/simulated.shop.ts';

const metrics = createPlacementMetrics({ registry: new Registry(), isDown: () => false });
const basketOf = (product_id: number) => ({
  userId: 1,
  role: 'customer' as const,
  key: 'k',
  request: { products: [{ product_id, quantity: 1 }] },
  requestId: 'test',
});

test('a request that lost its key never returns the order of another basket', async () => {
  const network = createNetwork({ scheduler: fc.schedulerFor()`never asked`, fates: [] });
  network.calmDown();
  const life = createLife();
  const products = createSimulatedProducts([5, 5]);
  const placements = createSimulatedOrders(() => 0).placementsOf(network, life);
  const client = products.clientOf(network, life);
  const common = {
    placements,
    money: createMoney('USD'),
    metrics,
    cache: uncached,
    logger: pino({ level: 'silent' }),
    lease: 60,
  };
  const other = createPlacementUseCases({ ...common, products: client });
  const slow = createPlacementUseCases({
    ...common,
    products: {
      ...client,
      // Meanwhile a retry that continued the order abandons it, which frees the key, and the client uses the key again.
      async reserve(wanted, requestId, wait) {
        const reservationId = wanted[0]?.reservationId ?? '';
        await placements.abandon([
          { intent: { id: 1, reservationId, createdAt: new Date(0) }, by: basketOf(1) },
        ]);
        await other.placeOrder(basketOf(2));
        return client.reserve(wanted, requestId, wait);
      },
    },
  });
  await expect(slow.placeOrder(basketOf(1))).rejects.toMatchObject({ code: 'idempotency_mismatch' });
});
