import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPlacementRepository } from '../src/placement/placement.repository.ts';
import { basket, createProduct, placeOrder, stockOf } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const withKey = (key: string) => ({ 'Idempotency-Key': key });
const ordersOf = (userId: number) => shop.db.order.count({ where: { userId, placement: 'PLACED' } });
const endLease = (key: string) =>
  shop.db.idempotencyKey.updateMany({ where: { key }, data: { leaseUntil: new Date(0) } });

describe('Idempotency-Key', () => {
  test('replays the first response byte for byte', async () => {
    const id = await createProduct(shop);
    const first = await placeOrder(shop, 1, basket([id, 1]), withKey('a'));
    const again = await placeOrder(shop, 1, basket([id, 1]), withKey('"a"'));
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.headers['location']).toBe(first.headers['location']);
    expect(await stockOf(shop, id)).toBe(9);
  });

  test('replays a refusal for a business reason too', async () => {
    const id = await createProduct(shop, { stock: 1 });
    const first = await placeOrder(shop, 1, basket([id, 2]), withKey('short'));
    await shop.products.db.product.update({ where: { id }, data: { stock: 5 } });
    const again = await placeOrder(shop, 1, basket([id, 2]), withKey('short'));
    expect([again.status, again.text]).toEqual([400, first.text]);
    expect(again.headers['content-type']).toMatch(/problem\+json/);
    expect(again.headers['idempotent-replayed']).toBe('true');
  });

  test('replays price_changed, and the stock has been returned', async () => {
    const id = await createProduct(shop, { stock: 5 });
    const body = { ...basket([id, 2]), expected_total: 1 };
    const first = await placeOrder(shop, 1, body, withKey('price'));
    const again = await placeOrder(shop, 1, body, withKey('price'));
    expect([first.status, again.text]).toEqual([409, first.text]);
    expect(await stockOf(shop, id)).toBe(5);
  });

  test('stores nothing for a validation error', async () => {
    const id = await createProduct(shop);
    expect((await placeOrder(shop, 1, { products: [] }, withKey('invalid'))).status).toBe(400);
    expect((await placeOrder(shop, 1, basket([id, 1]), withKey('invalid'))).status).toBe(201);
  });

  test('refuses another body under the same key', async () => {
    const id = await createProduct(shop);
    await placeOrder(shop, 1, basket([id, 1]), withKey('other'));
    const response = await placeOrder(shop, 1, basket([id, 2]), withKey('other'));
    expect([response.status, response.body.code]).toEqual([422, 'idempotency_mismatch']);
  });

  test('is scoped to one user', async () => {
    const id = await createProduct(shop);
    const mine = await placeOrder(shop, 1, basket([id, 1]), withKey('shared'));
    const theirs = await placeOrder(shop, 2, basket([id, 1]), withKey('shared'));
    expect(theirs.status).toBe(201);
    expect(theirs.body.order.id).not.toBe(mine.body.order.id);
  });

  test.each(['', 'with space', 'x'.repeat(256), '""'])('refuses the key %p', async (key) => {
    expect((await placeOrder(shop, 1, basket([1, 1]), withKey(key))).status).toBe(400);
  });

  test('100 parallel requests make one order', async () => {
    const id = await createProduct(shop, { stock: 200 });
    const responses = await Promise.all(
      Array.from({ length: 100 }, () => placeOrder(shop, 77, basket([id, 1]), withKey('hundred'))),
    );
    const created = responses.filter((response) => response.status === 201);
    const waiting = responses.filter((response) => response.status === 409);
    expect(created.length + waiting.length).toBe(100);
    expect(new Set(created.map((response) => response.text)).size).toBe(1);
    for (const response of waiting) {
      expect(response.body.code).toBe('idempotency_in_flight');
      expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(await ordersOf(77)).toBe(1);
    expect(await stockOf(shop, id)).toBe(199);
  });
});

describe('a request that crashed', () => {
  /** Writes the rows of a request that crashed after its intent. */
  async function crashAfterIntent(key: string, userId: number, body: object) {
    await shop.products.stop();
    await placeOrder(shop, userId, body, withKey('unused'));
    await shop.products.start();
    const order = await shop.db.order.findFirstOrThrow({ where: { userId }, orderBy: { id: 'desc' } });
    await shop.db.order.update({ where: { id: order.id }, data: { placement: 'PLACING' } });
    const placed = await placeOrder(shop, userId, body, withKey(key));
    expect(placed.status).toBe(201);
    const { requestHash } = await shop.db.idempotencyKey.findFirstOrThrow({ where: { key } });
    await shop.db.idempotencyKey.updateMany({
      where: { key },
      data: { orderId: order.id, responseStatus: null, responseBody: null, requestHash },
    });
    return order;
  }

  /** Step 1 of a retry that has found the lease ended. */
  const resume = (userId: number, key: string, request: ReturnType<typeof basket>) =>
    createPlacementRepository({ query: shop.query, deadline: 30, lease: 5 }).resumeIntent({
      ...{ userId, key, request, requestHash: '', reservationId: randomUUID(), currency: 'USD' },
    });

  test('is in flight until its lease ends, then a retry completes the same order', async () => {
    const id = await createProduct(shop, { stock: 10 });
    const order = await crashAfterIntent('resume', 301, basket([id, 1]));
    const early = await placeOrder(shop, 301, basket([id, 1]), withKey('resume'));
    expect([early.status, early.body.code]).toEqual([409, 'idempotency_in_flight']);
    await endLease('resume');
    const resumed = await placeOrder(shop, 301, basket([id, 1]), withKey('resume'));
    expect(resumed.status).toBe(201);
    expect(resumed.body.order.id).toBe(order.id);
  });

  test('gets a new order if the reconciler has rejected the first one', async () => {
    const id = await createProduct(shop, { stock: 10 });
    const order = await crashAfterIntent('rejected', 302, basket([id, 1]));
    await shop.db.order.update({ where: { id: order.id }, data: { deadline: new Date(0) } });
    await shop.reconcile();
    await endLease('rejected');
    const retried = await placeOrder(shop, 302, basket([id, 1]), withKey('rejected'));
    expect(retried.status).toBe(201);
    expect(retried.body.order.id).not.toBe(order.id);
  });

  test('is completed by one of many retries', async () => {
    const id = await createProduct(shop, { stock: 50 });
    const order = await crashAfterIntent('race', 303, basket([id, 1]));
    await endLease('race');
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => placeOrder(shop, 303, basket([id, 1]), withKey('race'))),
    );
    expect(new Set(responses.map((response) => response.status))).toEqual(new Set([201, 409]));
    const orders = responses.flatMap((response) => (response.status === 201 ? [response.body.order.id] : []));
    expect(new Set(orders)).toEqual(new Set([order.id]));
    expect(await stockOf(shop, id)).toBe(48);
  });

  test('is continued by exactly one of several callers', async () => {
    const id = await createProduct(shop, { stock: 10 });
    const request = basket([id, 1]);
    await crashAfterIntent('once', 304, request);
    await endLease('once');
    const resumed = await Promise.all(Array.from({ length: 8 }, () => resume(304, 'once', request)));
    expect(resumed.filter((intent) => intent !== null)).toHaveLength(1);
  });

  test('is not continued once its key has a response, even if that was a refusal', async () => {
    const id = await createProduct(shop, { stock: 1 });
    const request = basket([id, 2]);
    expect((await placeOrder(shop, 305, request, withKey('refused'))).status).toBe(400);
    await endLease('refused');
    expect(await resume(305, 'refused', request)).toBeNull();
  });
});
