import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import request from 'supertest';
import { createOrderErasure } from '../src/erasure/erasure.jobs.ts';
import { basket, createProduct, placeOrder } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const SELLER = 900;
let buyers = 5000;

const get = (path: string, as: number, role?: 'admin') =>
  request(shop.url).get(path).set('Authorization', bearer(as, role));
/** Repeats a read until it is served from the cache. */
async function cached(path: string, as: number, role?: 'admin') {
  for (let i = 0; i < 100; i += 1) {
    const response = await get(path, as, role);
    if (response.headers['cache-status'] === 'orders; hit') return response;
  }
  throw new Error(`${path} is never cached`);
}
/** A buyer with one order, whose reads are all cached. */
async function buyerWithOrder() {
  const buyer = buyers++;
  const product = await createProduct(shop, { stock: 100 });
  const placed = await placeOrder(shop, buyer, { ...basket([product, 1]), note: 'the bell is broken' });
  const id = Number(placed.body.order.id);
  const paths = { list: '/api/orders', one: `/api/orders/${id}`, stats: '/api/orders/stats' };
  for (const path of Object.values(paths)) await cached(path, buyer);
  return { buyer, product, id, paths };
}

describe("a buyer's reads", () => {
  test('come from the cache with the same bytes and ETag, and return 304 for a matching If-None-Match', async () => {
    const { buyer, paths } = await buyerWithOrder();
    for (const path of Object.values(paths)) {
      const hit = await cached(path, buyer);
      const again = await get(path, buyer).set('If-None-Match', String(hit.headers['etag']));
      expect([path, again.status, again.text]).toEqual([path, 304, '']);
      expect(hit.headers['cache-control']).toBe('private, no-cache');
    }
    expect((await cached(paths.one, buyer)).body.order.note).toBe('the bell is broken');
  });

  test('show each new order, status and cancellation immediately', async () => {
    const { buyer, product, id, paths } = await buyerWithOrder();
    await placeOrder(shop, buyer, basket([product, 2]));
    expect((await get(paths.list, buyer)).body.total).toBe(2);
    expect((await get(paths.stats, buyer)).body.total_orders).toBe(2);
    await cached(paths.one, buyer);
    await request(shop.url)
      .put(`${paths.one}/status`)
      .set('Authorization', bearer(SELLER))
      .send({ status: 'processing' })
      .expect(200);
    expect((await get(paths.one, buyer)).body.order.status).toBe('processing');
    await cached(paths.list, buyer);
    await request(shop.url).delete(`/api/orders/${id}`).set('Authorization', bearer(buyer)).expect(200);
    const list = await get(paths.list, buyer);
    expect(list.body.orders.map((order: { status: string }) => order.status)).toEqual([
      'pending',
      'cancelled',
    ]);
    expect((await get(paths.stats, buyer)).body.cancelled_orders).toBe(1);
  });

  test('show no personal data after its erasure', async () => {
    const { buyer, id, paths } = await buyerWithOrder();
    await request(shop.url).delete(`/api/orders/${id}`).set('Authorization', bearer(buyer)).expect(200);
    await cached(paths.one, buyer);
    const { query, orderCache: cache } = shop;
    const { tasks } = createOrderErasure({ query, cache, readChanges: undefined });
    await tasks['erase_user']?.({ user_id: buyer }, new AbortController().signal);
    expect((await get(paths.one, buyer)).body.order.note).toBeNull();
  });

  test('are cached separately for each query and role', async () => {
    const { buyer, paths } = await buyerWithOrder();
    expect((await get(`${paths.list}?status=shipped`, buyer)).body.total).toBe(0);
    const transitions = async (role?: 'admin') => {
      const [one, list] = [await get(paths.one, buyer, role), await get(paths.list, buyer, role)];
      return [one.body.order, ...list.body.orders].map((order) => order.allowed_transitions);
    };
    expect(await transitions()).toEqual([['cancelled'], ['cancelled']]);
    const all = ['processing', 'cancelled'];
    expect(await transitions('admin')).toEqual([all, all]);
  });
});

test('are not cached for sellers and admins who read the orders of others', async () => {
  const { id } = await buyerWithOrder();
  for (const [path, as, role] of [
    [`/api/orders/${id}`, SELLER, undefined],
    [`/api/orders/${id}`, 1, 'admin'],
    ['/api/orders?scope=selling', SELLER, undefined],
    ['/api/orders?scope=all', 1, 'admin'],
  ] as const)
    for (let i = 0; i < 3; i += 1)
      expect((await get(path, as, role)).headers['cache-status']).not.toBe('orders; hit');
});

test("return 404 for another user's order, even if it is cached for its buyer", async () => {
  const { paths } = await buyerWithOrder();
  await get(paths.one, buyers++).expect(404);
});
