import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import { until } from '@shop/service-kit/testing/until';
import { Registry } from 'prom-client';
import request from 'supertest';
import { basket, createProduct, placeOrder, stockOf } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop({ ANTI_ENTROPY_INTERVAL: '100' });
});
afterEach(() => shop.products.start());
afterAll(() => shop.close());

const placing = () => shop.db.order.count({ where: { placement: 'PLACING' } });

/** Places orders until calls to product-service fail immediately. */
async function openCircuit(id: number) {
  for (let i = 0; !shop.client.isDown() && i < 20; i++) await placeOrder(shop, 1, basket([id, 1]));
  expect(shop.client.isDown()).toBe(true);
}

async function waitUntilOrdering(id: number) {
  for (let i = 0; i < 100; i++) {
    const response = await placeOrder(shop, 1, basket([id, 1]));
    if (response.status === 201) return response;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('no order could be placed any more');
}

describe('while product-service is down', () => {
  test('an order returns 503 with nothing reserved, and succeeds once it is back', async () => {
    const id = await createProduct(shop, { stock: 20 });
    await shop.products.stop();
    const response = await placeOrder(shop, 1, basket([id, 1]), { 'Idempotency-Key': 'away' });
    expect(response.status).toBe(503);
    expect(response.body).toMatchObject({
      code: 'product_service_unavailable',
      error: 'Product service unavailable',
    });
    expect(response.headers['retry-after']).toBe('1');
    expect(await placing()).toBe(0);
    await shop.products.start();
    await waitUntilOrdering(id);
    const retried = await placeOrder(shop, 1, basket([id, 1]), { 'Idempotency-Key': 'away' });
    expect(retried.status).toBe(201);
    expect(await stockOf(shop, id)).toBe(18);
  });

  test('the circuit opens: no order row is written, and stored responses are still replayed', async () => {
    const id = await createProduct(shop, { stock: 20 });
    const first = await placeOrder(shop, 1, basket([id, 1]), { 'Idempotency-Key': 'before' });
    await shop.products.stop();
    await openCircuit(id);
    const rows = await shop.db.order.count();
    expect((await placeOrder(shop, 1, basket([id, 1]))).status).toBe(503);
    expect((await placeOrder(shop, 1, basket([id, 1]), { 'Idempotency-Key': 'fresh' })).status).toBe(503);
    expect(await shop.db.order.count()).toBe(rows);
    const replayed = await placeOrder(shop, 1, basket([id, 1]), { 'Idempotency-Key': 'before' });
    expect([replayed.status, replayed.text]).toEqual([201, first.text]);
    const other = await placeOrder(shop, 1, basket([id, 2]), { 'Idempotency-Key': 'before' });
    expect(other.status).toBe(422);
    await shop.products.start();
    await waitUntilOrdering(id);
  });

  test('orders can be read and cancelled; the stock is returned later', async () => {
    const id = await createProduct(shop, { stock: 20 });
    const { body } = await waitUntilOrdering(id);
    await shop.products.stop();
    const path = `/api/orders/${body.order.id}`;
    expect((await request(shop.url).get(path).set('Authorization', bearer(1))).status).toBe(200);
    expect((await request(shop.url).delete(path).set('Authorization', bearer(1))).status).toBe(200);
    expect(await stockOf(shop, id)).toBe(19);
    await shop.products.start();
    const jobs = shop.startJobs();
    for (let i = 0; (await stockOf(shop, id)) !== 20 && i < 100; i++) {
      await shop.reconcile();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await jobs.close();
    expect(await stockOf(shop, id)).toBe(20);
  });

  test('a quote returns 503', async () => {
    await shop.products.stop();
    const response = await request(shop.url)
      .post('/api/orders/quote')
      .set('Authorization', bearer(1))
      .send(basket([1, 1]));
    expect(response.body.code).toBe('product_service_unavailable');
  });

  test('expired keys and old rejected orders are removed, although no reservation can be healed', async () => {
    const createdAt = new Date(Date.now() - 5 * 86_400_000);
    const { id: orderId } = await shop.db.order.create({
      data: {
        ...{ userId: 77, placement: 'REJECTED', reservationId: randomUUID(), currency: 'USD' },
        ...{ deadline: createdAt, createdAt },
      },
    });
    await shop.db.idempotencyKey.create({
      data: {
        ...{ userId: 77, route: 'POST /api/orders', key: 'old', requestHash: 'x', orderId },
        ...{ leaseUntil: createdAt, createdAt },
      },
    });
    await shop.products.stop();
    const registry = new Registry();
    const failures = async () => {
      const values = (await registry.getSingleMetric('job_failures_total')?.get())?.values ?? [];
      return values.find(({ labels }) => labels['task'] === 'heal_reservations')?.value ?? 0;
    };
    const running = shop.startPeriodic(registry);
    await until('healing has failed twice', async () => (await failures()) > 1);
    await until('the key is removed', async () => {
      return (await shop.db.idempotencyKey.count({ where: { userId: 77 } })) === 0;
    });
    await until(
      'the order is removed',
      async () => (await shop.db.order.count({ where: { userId: 77 } })) === 0,
    );
    await running.close();
  });
});
