import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import request from 'supertest';
import { basket, createProduct, placeOrder } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const ADMIN = bearer(999, 'admin');
const get = (path: string, token: string) => request(shop.url).get(path).set('Authorization', token);

/** Places an order and sets its time. */
async function orderAt(userId: number, createdAt: string): Promise<number> {
  const product = await createProduct(shop);
  const { id } = (await placeOrder(shop, userId, basket([product, 1]))).body.order;
  await shop.db.order.update({ where: { id }, data: { createdAt: new Date(createdAt) } });
  return id;
}

describe('from and to', () => {
  test('include the whole day of a date, and the instant of a time', async () => {
    const first = await orderAt(1, '2026-03-01T00:00:00.000Z');
    const last = await orderAt(1, '2026-03-01T23:59:59.999Z');
    await orderAt(1, '2026-02-28T23:59:59.999Z');
    await orderAt(1, '2026-03-02T00:00:00.000Z');
    const idsOf = async (range: string) =>
      (await get(`/api/orders?${range}`, bearer(1))).body.orders.map(({ id }: { id: number }) => id);
    expect(await idsOf('from=2026-03-01&to=2026-03-01')).toEqual([last, first]);
    expect(await idsOf('from=2026-03-01T00:00:00Z&to=2026-03-01T00:00:00Z')).toEqual([first]);
    expect(await idsOf('from=2026-03-01T00:00:00.001Z&to=2026-03-01T23:59:59.998Z')).toEqual([]);
    expect(await idsOf('from=2026-03-01T02:00:00%2B02:00&to=2026-03-01T23:59:59.999Z')).toEqual([
      last,
      first,
    ]);
  });

  test('are refused if from is after to', async () => {
    for (const range of [
      'from=2026-03-02&to=2026-03-01',
      'from=2026-03-01T00:00:00.001Z&to=2026-03-01T00:00:00Z',
    ])
      expect((await get(`/api/orders?${range}`, bearer(1))).body.errors).toEqual([
        'from must not be after to',
      ]);
  });
});

describe('conditional requests', () => {
  test.each([
    ['one order', (id: number) => `/api/orders/${id}`],
    ['a list of orders', () => '/api/orders'],
  ])('%s: 304 until it changes', async (_what, pathOf) => {
    const id = await orderAt(2, '2026-03-01T00:00:00Z');
    const first = await get(pathOf(id), bearer(2)).expect(200);
    expect(first.headers['cache-control']).toBe('private, no-cache');
    const again = () => get(pathOf(id), bearer(2)).set('If-None-Match', first.headers['etag'] ?? '');
    const known = await again().expect(304);
    expect(known.text).toBe('');
    await request(shop.url).delete(`/api/orders/${id}`).set('Authorization', bearer(2)).expect(200);
    const changed = await again().expect(200);
    expect(changed.headers['etag']).not.toBe(first.headers['etag']);
  });
});

describe('an address stored under older rules', () => {
  test('is shown as it was stored, in one order and in lists', async () => {
    const id = await orderAt(3, '2026-03-01T00:00:00Z');
    const stored = {
      name: '',
      line1: '1 Main St',
      city: 'Hull',
      country: 'UK',
      street: 'of an older release',
    };
    await shop.db.order.update({ where: { id }, data: { shippingAddress: stored } });
    const read = await get(`/api/orders/${id}`, bearer(3)).expect(200);
    expect(read.body.order.shipping_address).toEqual(stored);
    const list = await get('/api/orders', bearer(3)).expect(200);
    expect(list.body.orders[0].shipping_address).toEqual(stored);
  });
});

describe('a seller', () => {
  const [SELLER, OTHER_SELLER, BUYER] = [50, 51, 52];

  test('sees the orders with their lines, and only these lines', async () => {
    const mine = await createProduct(shop, { ownerId: SELLER, priceMinor: 200n });
    const theirs = await createProduct(shop, { ownerId: OTHER_SELLER, priceMinor: 1000n });
    const address = { name: 'Ada', line1: 'Main St 1', city: 'Bern', postal_code: '3000', country: 'CH' };
    const placed = await placeOrder(shop, BUYER, {
      ...basket([mine, 3], [theirs, 1]),
      shipping_address: address,
      note: 'ring twice',
    });
    const { id, total_amount } = placed.body.order;
    expect(total_amount).toBe(16);
    const whole = (await placeOrder(shop, BUYER, basket([mine, 1]))).body.order;
    await placeOrder(shop, BUYER, basket([theirs, 1]));

    const partial = {
      id,
      user_id: BUYER,
      products: [{ product_id: mine, quantity: 3, subtotal: 6 }],
      total_amount: 6,
      partial: true,
      allowed_transitions: [],
      shipping_address: address,
      note: 'ring twice',
    };
    const list = await get('/api/orders?scope=selling', bearer(SELLER)).expect(200);
    expect(list.body).toMatchObject({ total: 2, orders: [{ id: whole.id }, partial] });
    expect(list.body.orders[1].products).toHaveLength(1);
    expect(list.body.orders[0].partial).toBeUndefined();
    expect(list.body.orders[0].allowed_transitions).toEqual(['processing', 'cancelled']);
    const read = await get(`/api/orders/${id}`, bearer(SELLER)).expect(200);
    expect(read.body.order).toEqual(list.body.orders[1]);
    expect(JSON.stringify(list.body)).not.toContain(`"product_id":${theirs}`);

    for (const token of [bearer(BUYER), ADMIN]) {
      const { order } = (await get(`/api/orders/${id}`, token)).body;
      expect(order.products).toHaveLength(2);
      expect(order).toMatchObject({
        total_amount: 16,
        allowed_transitions: expect.arrayContaining(['cancelled']),
      });
      expect(order.partial).toBeUndefined();
    }
    expect((await get(`/api/orders/${id}/history`, bearer(SELLER))).body.history).toHaveLength(1);
    expect((await get('/api/orders?scope=selling', bearer(BUYER))).body).toMatchObject({
      total: 0,
      orders: [],
    });
    await request(shop.url).delete(`/api/orders/${id}`).set('Authorization', bearer(SELLER)).expect(403);
  });

  test('still sees the order after the product was deleted', async () => {
    const product = await createProduct(shop, { ownerId: 60 });
    const { id } = (await placeOrder(shop, BUYER, basket([product, 1]))).body.order;
    await shop.products.db.product.update({
      where: { id: product },
      data: { deletedAt: new Date(), ownerId: 61 },
    });
    await get(`/api/orders/${id}`, bearer(60)).expect(200);
    await get(`/api/orders/${id}`, bearer(61)).expect(404);
  });

  test('can page through their orders by page and by cursor, filtered by status and time', async () => {
    const a = await createProduct(shop, { ownerId: 70, stock: 100 });
    const b = await createProduct(shop, { ownerId: 70, stock: 100 });
    const ids: number[] = [];
    for (let i = 0; i < 5; i++)
      ids.unshift((await placeOrder(shop, 80 + i, basket([a, 1], [b, 1]))).body.order.id);
    const page = await get('/api/orders?scope=selling&per_page=2&page=2', bearer(70));
    expect(page.body).toMatchObject({ total: 5, pages: 3, orders: [{ id: ids[2] }, { id: ids[3] }] });
    const walked: number[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const at: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await get(`/api/orders?scope=selling&per_page=2${at}`, bearer(70));
      walked.push(...body.orders.map(({ id }: { id: number }) => id));
      cursor = body.next_cursor;
    }
    expect(walked).toEqual(ids);
    await request(shop.url)
      .put(`/api/orders/${ids[1]}/status`)
      .set('Authorization', bearer(70))
      .send({ status: 'processing' })
      .expect(200);
    const processing = await get('/api/orders?scope=selling&status=processing', bearer(70));
    expect(processing.body).toMatchObject({ total: 1, orders: [{ id: ids[1] }] });
    for (const [time, total] of [
      ['from=2020-01-01&to=2999-01-01', 5],
      ['from=2999-01-01', 0],
      ['to=2020-01-01', 0],
    ] as const) {
      const { body } = await get(`/api/orders?scope=selling&${time}`, bearer(70));
      expect([time, body.total, body.orders.length]).toEqual([time, total, total]);
    }
  });
});

describe('allowed_transitions', () => {
  test('lists what the caller may set', async () => {
    const product = await createProduct(shop, { ownerId: 90, stock: 100 });
    const transitions = async (id: number, token: string) =>
      (await get(`/api/orders/${id}`, token)).body.order.allowed_transitions;
    const { id } = (await placeOrder(shop, 91, basket([product, 1]))).body.order;
    expect(await transitions(id, bearer(91))).toEqual(['cancelled']);
    expect(await transitions(id, bearer(90))).toEqual(['processing', 'cancelled']);
    expect(await transitions(id, ADMIN)).toEqual(['processing', 'cancelled']);
    for (const status of ['processing', 'shipped'])
      await request(shop.url)
        .put(`/api/orders/${id}/status`)
        .set('Authorization', ADMIN)
        .send({ status })
        .expect(200);
    expect(await transitions(id, bearer(91))).toEqual([]);
    expect(await transitions(id, bearer(90))).toEqual(['delivered']);
    const own = await placeOrder(shop, 90, basket([product, 1]));
    expect(own.body.order.allowed_transitions).toEqual(['processing', 'cancelled']);
  });
});
