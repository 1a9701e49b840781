import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createMoney } from '@shop/service-kit/money/money';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { TEST_TIME_LIMIT_FACTOR } from '@shop/service-kit/testing/test-database';
import { Registry } from 'prom-client';
import { createPlacementMetrics } from '../src/placement/placement.metrics.ts';
import { createPlacementRepository } from '../src/placement/placement.repository.ts';
import { createPlacementUseCases } from '../src/placement/placement.use-cases.ts';
import { basket, createProduct, stockOf } from './support/factories.ts';
import { uncached } from './support/simulated.shop.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

interface Limits {
  lease?: number;
  maxRunning?: number;
}

/** The use-cases of placing orders. `beforeCall` runs before each call to product-service. */
function placing(beforeCall: () => Promise<unknown>, { lease = 5, ...limits }: Limits = {}) {
  const { client, query } = shop;
  const { placeOrder, quoteOrder } = createPlacementUseCases({
    placements: createPlacementRepository({ query, deadline: 30, lease }),
    products: {
      ...client,
      reserve: (...call) => beforeCall().then(() => client.reserve(...call)),
      quote: (...call) => beforeCall().then(() => client.quote(...call)),
    },
    money: createMoney('USD'),
    metrics: createPlacementMetrics({ registry: new Registry(), isDown: () => false }),
    cache: uncached,
    logger: createLogger('order-service', 'silent'),
    lease,
    timeLimitFactor: TEST_TIME_LIMIT_FACTOR,
    ...limits,
  });
  const request = (id: number) => basket([id, 1]);
  return {
    place: (userId: number, id: number, key: string | null = null) =>
      placeOrder({ userId, role: 'customer', key, request: request(id), requestId: 'test' }),
    quote: async (id: number) => ({ status: 200, quote: await quoteOrder(request(id), 'test') }),
  };
}

const outcomeOf = (work: Promise<{ status: number }>) =>
  work.then(
    ({ status }) => status,
    ({ code, headers }: { code: string; headers: Record<string, string> }) =>
      `${code}, again after ${headers['Retry-After']} s`,
  );
const placed = (userId: number) => shop.db.order.count({ where: { userId, placement: 'PLACED' } });

test('an order with a key ends before a retry may continue it, and places nothing', async () => {
  const id = await createProduct(shop, { stock: 10 });
  const { place } = placing(() => sleep(1500), { lease: 1 });
  expect(await outcomeOf(place(1, id, 'late'))).toBe('unavailable, again after 1 s');
  expect(await placed(1)).toBe(0);
  expect(await outcomeOf(place(2, id))).toBe(201);
  expect(await placed(2)).toBe(1);
});

test('orders and quotes beyond the bound are refused immediately, and nothing is written for them', async () => {
  const id = await createProduct(shop, { stock: 10 });
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { place, quote } = placing(() => released, { maxRunning: 3 });
  const of5 = <T>(act: () => T) => Array.from({ length: 5 }, act);
  const orders = of5(() => outcomeOf(place(3, id)));
  const quotes = of5(() => outcomeOf(quote(id)));
  const busy = Array(2).fill('busy, again after 1 s');
  expect(await Promise.all([...orders.slice(3), ...quotes.slice(3)])).toEqual([...busy, ...busy]);
  release();
  expect(await Promise.all(orders)).toEqual([201, 201, 201, ...busy]);
  expect(await Promise.all(quotes)).toEqual([200, 200, 200, ...busy]);
  expect(await shop.db.order.count({ where: { userId: 3 } })).toBe(3);
  expect(await stockOf(shop, id)).toBe(7);
  expect(await outcomeOf(quote(id))).toBe(200);
});
