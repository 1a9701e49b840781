import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMoney } from '@shop/service-kit/money/money';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { TEST_TIME_LIMIT_FACTOR } from '@shop/service-kit/testing/test-database';
import { until } from '@shop/service-kit/testing/until';
import { Registry } from 'prom-client';
import { ProductServiceUnavailable } from '../src/clients/product.errors.ts';
import { createPlacementMetrics } from '../src/placement/placement.metrics.ts';
import { createPlacementRepository } from '../src/placement/placement.repository.ts';
import { createPlacementUseCases, type PlacementOptions } from '../src/placement/placement.use-cases.ts';
import { basket, createProduct, stockOf, whileLocked } from './support/factories.ts';
import { uncached } from './support/simulated.shop.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const repository = () => createPlacementRepository({ query: shop.query, deadline: 30, lease: 5 });
const statusesOf = (responses: { status: number }[]) => responses.map(({ status }) => status);

/** Places orders of one unit, with parts of the service replaced. */
function placing(parts: Partial<Pick<PlacementOptions, 'placements' | 'products'>>) {
  const { placeOrder: place } = createPlacementUseCases({
    placements: repository(),
    products: shop.client,
    money: createMoney('USD'),
    metrics: createPlacementMetrics({ registry: new Registry(), isDown: () => false }),
    cache: uncached,
    logger: createLogger('order-service', 'silent'),
    lease: 5,
    timeLimitFactor: TEST_TIME_LIMIT_FACTOR,
    ...parts,
  });
  return {
    place: (userId: number, product: number, key: string | null = null, body: object = {}) =>
      place({
        ...{ userId, role: 'customer', key, requestId: 'test' },
        request: { ...basket([product, 1]), ...body },
      }),
  };
}

test('only orders with a locked product are sent to wait for it', async () => {
  const [locked, free] = [await createProduct(shop, { stock: 50 }), await createProduct(shop, { stock: 50 })];
  const waited: number[] = [];
  const { place } = placing({
    products: {
      ...shop.client,
      reserve(wanted, requestId, wait) {
        if (wait) waited.push(...wanted.flatMap(({ items }) => items.map((item) => item.product_id)));
        return shop.client.reserve(wanted, requestId, wait);
      },
    },
  });
  const own = await whileLocked(shop, locked, async () => {
    const buyers = [0, 1].map((i) => place(2200 + i, locked));
    await Promise.all(Array.from({ length: 5 }, (_, i) => place(2300 + i, free)));
    return buyers;
  });
  expect(statusesOf(await Promise.all(own))).toEqual([201, 201]);
  expect(waited.length).toBeGreaterThan(0);
  expect(new Set(waited)).toEqual(new Set([locked]));
});

describe('a connection that is lost after the commit', () => {
  test.each(['08006', undefined])(
    'leads to 201, and no statement is repeated (SQLSTATE %s)',
    async (code) => {
      const id = await createProduct(shop, { stock: 50 });
      const real = repository();
      const sent: number[] = [];
      const { place } = placing({
        placements: {
          ...real,
          async place(orders) {
            sent.push(...orders.map(({ intent }) => intent.id));
            await real.place(orders);
            throw Object.assign(new Error('Connection terminated unexpectedly'), { code });
          },
        },
      });
      const users = Array.from({ length: 6 }, (_, i) => (code === undefined ? 4000 : 4100) + i);
      const responses = await Promise.all(
        users.map((userId, i) => place(userId, id, i % 2 ? `lost-${i}` : null)),
      );
      expect(statusesOf(responses)).toEqual(Array(6).fill(201));
      const placed = { userId: { in: users }, placement: 'PLACED' };
      expect(await shop.db.order.count({ where: placed })).toBe(6);
      expect(new Set(sent).size).toBe(sent.length);
      expect(await stockOf(shop, id)).toBe(44);
    },
  );
});

test('an order that could not be rejected is abandoned: its stock is returned, and its key is free', async () => {
  const id = await createProduct(shop, { stock: 1 });
  const { place } = placing({
    placements: { ...repository(), reject: () => Promise.reject(new Error('Connection terminated')) },
  });
  await expect(place(4300, id, 'refused', { expected_total: 1 })).rejects.toThrow('Connection terminated');
  const of = { userId: 4300 };
  expect(await shop.db.order.count({ where: { ...of, placement: 'REJECTED' } })).toBe(1);
  expect(await shop.db.idempotencyKey.count({ where: of })).toBe(0);
  const jobs = shop.startJobs();
  await until('the stock is back', async () => (await stockOf(shop, id)) === 1);
  await jobs.close();
});

test('orders whose outcome stays unknown are abandoned together, and their keys are free', async () => {
  const id = await createProduct(shop, { stock: 50 });
  const real = repository();
  const abandoned: number[] = [];
  const { place } = placing({
    placements: {
      ...real,
      abandon(orders) {
        abandoned.push(orders.length);
        return real.abandon(orders);
      },
    },
    products: { ...shop.client, reserve: () => Promise.reject(new ProductServiceUnavailable('no result')) },
  });
  const users = Array.from({ length: 40 }, (_, i) => 4200 + i);
  const outcomes = await Promise.allSettled(users.map((userId) => place(userId, id, 'unknown')));
  expect(outcomes.map(({ status }) => status)).toEqual(Array(40).fill('rejected'));
  expect(abandoned.reduce((sum, size) => sum + size)).toBe(40);
  expect(abandoned.length).toBeLessThan(10);
  const of = { userId: { in: users } };
  expect(await shop.db.order.count({ where: { ...of, placement: 'REJECTED' } })).toBe(40);
  expect(await shop.db.idempotencyKey.count({ where: of })).toBe(0);
  const again = placing({});
  expect(statusesOf(await Promise.all(users.map((userId) => again.place(userId, id, 'unknown'))))).toEqual(
    Array(40).fill(201),
  );
  expect(await stockOf(shop, id)).toBe(10);
});
