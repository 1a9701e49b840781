import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import request from 'supertest';
import { basket, createProduct, placeOrder, stockOf } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const quote = (body: object) =>
  request(shop.url).post('/api/orders/quote').set('Authorization', bearer(1)).send(body);

const ADDRESS = { name: 'Ada', line1: 'Main St 1', city: 'Bern', postal_code: '3000', country: 'CH' };

describe('POST /api/orders', () => {
  test('uses prices and stock of product-service and returns the whole order', async () => {
    const a = await createProduct(shop, { priceMinor: 99999n, stock: 5 });
    const b = await createProduct(shop, { priceMinor: 10n, stock: 5 });
    const response = await placeOrder(shop, 1, {
      ...basket([b, 3], [a, 2]),
      shipping_address: ADDRESS,
      note: 'ring twice',
    });
    expect(response.status).toBe(201);
    expect(response.headers['location']).toBe(`/api/orders/${response.body.order.id}`);
    expect(response.body).toEqual({
      message: 'Order created successfully',
      order: {
        id: expect.any(Number),
        user_id: 1,
        products: [
          { product_id: a, name: expect.any(String), price: 999.99, quantity: 2, subtotal: 1999.98 },
          { product_id: b, name: expect.any(String), price: 0.1, quantity: 3, subtotal: 0.3 },
        ],
        total_amount: 2000.28,
        currency: 'USD',
        status: 'pending',
        allowed_transitions: ['cancelled'],
        shipping_address: ADDRESS,
        note: 'ring twice',
        created_at: expect.stringMatching(/Z$/),
        updated_at: expect.stringMatching(/Z$/),
      },
    });
    expect(await stockOf(shop, a)).toBe(3);
    expect(await stockOf(shop, b)).toBe(2);
    const read = await request(shop.url)
      .get(`/api/orders/${response.body.order.id}`)
      .set('Authorization', bearer(1));
    expect(read.body.order).toEqual(response.body.order);
  });

  test('merges lines of the same product', async () => {
    const id = await createProduct(shop, { stock: 5 });
    const response = await placeOrder(shop, 1, basket([id, 2], [id, 3]));
    expect(response.body.order.products).toHaveLength(1);
    expect(response.body.order.products[0].quantity).toBe(5);
    expect(await stockOf(shop, id)).toBe(0);
  });

  test('lists every short line and reserves nothing', async () => {
    const enough = await createProduct(shop, { stock: 5 });
    const short = await createProduct(shop, { stock: 1 });
    const empty = await createProduct(shop, { stock: 0 });
    const response = await placeOrder(shop, 1, basket([enough, 1], [short, 2], [empty, 1]));
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({
      code: 'insufficient_stock',
      details: [
        { product_id: short, requested: 2, available: 1 },
        { product_id: empty, requested: 1, available: 0 },
      ],
    });
    expect(response.body.error).toBe(`Insufficient stock for product ${short}, ${empty}`);
    expect(await stockOf(shop, enough)).toBe(5);
  });

  test('names the short products in a bounded text, however many they are, and lists them all', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => 2_147_483_000 + i);
    const product = { name: 'Rare', priceMinor: 1n, stock: 0, category: 'General', ownerId: 900 };
    await shop.products.db.product.createMany({ data: ids.map((id) => ({ id, ...product })) });
    const lines = ids.map((id): [number, number] => [id, 1]);
    const { body } = await placeOrder(shop, 1, basket(...lines));
    expect(body).toMatchObject({ code: 'insufficient_stock', error: body.detail });
    expect(body.detail).toMatch(/^Insufficient stock for product 2147483000, 2147483001, .*…$/);
    expect(body.detail).toHaveLength(300);
    expect(body.details).toHaveLength(100);
  });

  test('lists every unknown or deleted product, before short ones, and reserves nothing', async () => {
    const unknown = 2_000_000_000;
    const [deleted, enough, empty] = await Promise.all([
      createProduct(shop),
      createProduct(shop, { stock: 5 }),
      createProduct(shop, { stock: 0 }),
    ]);
    await shop.products.db.product.update({ where: { id: deleted }, data: { deletedAt: new Date() } });
    const wanted = basket([enough, 1], [empty, 1], [deleted, 2], [unknown, 3]);
    for (const response of [await placeOrder(shop, 1, wanted), await quote(wanted)]) {
      expect(response.status).toBe(404);
      expect(response.body).toMatchObject({
        code: 'product_not_found',
        error: `Product ${deleted} not found`,
        details: [
          { product_id: deleted, requested: 2, available: 0 },
          { product_id: unknown, requested: 3, available: 0 },
        ],
      });
    }
    expect(await stockOf(shop, enough)).toBe(5);
  });

  test('repeats the list of unknown products under the same key', async () => {
    const key = { 'Idempotency-Key': 'unknown-products' };
    const first = await placeOrder(shop, 1, basket([2_000_000_000, 1]), key);
    const again = await placeOrder(shop, 1, basket([2_000_000_000, 1]), key);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.body.details).toEqual([{ product_id: 2_000_000_000, requested: 1, available: 0 }]);
    expect(again.body).toEqual(first.body);
  });

  test('returns 409 with a new quote if the total is not the expected one, and reserves nothing', async () => {
    const id = await createProduct(shop, { priceMinor: 1200n, stock: 5 });
    const response = await placeOrder(shop, 1, { ...basket([id, 2]), expected_total: 20 });
    expect(response.status).toBe(409);
    expect(response.body.code).toBe('price_changed');
    expect(response.body.quote).toEqual({
      products: [{ product_id: id, name: expect.any(String), price: 12, quantity: 2, subtotal: 24 }],
      total_amount: 24,
      currency: 'USD',
    });
    expect(await stockOf(shop, id)).toBe(5);
    expect((await placeOrder(shop, 1, { ...basket([id, 2]), expected_total: 24 })).status).toBe(201);
  });

  test('reports all issues together, with the messages of the original API', async () => {
    const responses = await Promise.all([
      placeOrder(shop, 1, {}),
      placeOrder(shop, 1, { products: [] }),
      placeOrder(shop, 1, { products: 'x' }),
      placeOrder(shop, 1, { products: [{}, { product_id: 1, quantity: 0 }] }),
      placeOrder(shop, 1, { products: [7] }),
      placeOrder(shop, 1, { ...basket([1, 1]), role: 'admin' }),
    ]);
    expect(responses.map((response) => [response.status, response.body.errors])).toEqual([
      [400, ['Products are required']],
      [400, ['Products must be a non-empty list']],
      [400, ['Products must be a non-empty list']],
      [
        400,
        [
          'Product 0: product_id is required',
          'Product 0: quantity is required',
          'Product 1: quantity must be a positive integer',
        ],
      ],
      [400, ['Product 0: must be an object']],
      [400, ['Unknown field: role']],
    ]);
  });

  test.each([0, -1, 1.5, 2 ** 31, '1e3', null, 10_001])('refuses the quantity %p', async (quantity) => {
    const response = await placeOrder(shop, 1, { products: [{ product_id: 1, quantity }] });
    expect(response.status).toBe(400);
    expect(response.body.code).toBe('validation_failed');
  });

  test('refuses more than 100 lines, invalid amounts and invalid addresses', async () => {
    const lines = Array.from({ length: 101 }, (_, i): [number, number] => [i + 1, 1]);
    const bodies = [
      basket(...lines),
      { ...basket([1, 1]), expected_total: -1 },
      { ...basket([1, 1]), expected_total: '5' },
      { ...basket([1, 1]), note: 'x'.repeat(1001) },
      { ...basket([1, 1]), shipping_address: { ...ADDRESS, country: 'XQ' } },
      { ...basket([1, 1]), shipping_address: { ...ADDRESS, country: 'Switzerland' } },
      { ...basket([1, 1]), shipping_address: { ...ADDRESS, city: undefined } },
    ];
    for (const body of bodies) expect((await placeOrder(shop, 1, body)).status).toBe(400);
  });

  test('returns 401 without a token', async () => {
    const response = await request(shop.url)
      .post('/api/orders')
      .send(basket([1, 1]));
    expect(response.status).toBe(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
  });
});

describe('POST /api/orders/quote', () => {
  test('returns the price of the basket and reserves nothing', async () => {
    const id = await createProduct(shop, { priceMinor: 333n, stock: 3 });
    const response = await quote(basket([id, 3]));
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject({
      total_amount: 9.99,
      currency: 'USD',
      products: [{ product_id: id, price: 3.33 }],
    });
    expect(await stockOf(shop, id)).toBe(3);
  });

  test('is refused like the order would be', async () => {
    const id = await createProduct(shop, { stock: 1 });
    expect((await quote(basket([id, 2]))).body.code).toBe('insufficient_stock');
    expect((await quote(basket([2_000_000_000, 2]))).body.code).toBe('product_not_found');
    expect((await quote({ ...basket([id, 1]), expected_total: 1 })).body.code).toBe('price_changed');
  });
});

describe('many concurrent buyers', () => {
  test('300 buyers for 25 units: exactly 25 get one', async () => {
    const id = await createProduct(shop, { stock: 25 });
    const responses = await Promise.all(
      Array.from({ length: 300 }, (_, i) => placeOrder(shop, 10_000 + i, basket([id, 1]))),
    );
    const statuses = responses.map((response) => response.body.code ?? response.status);
    const countOf = (wanted: unknown) => statuses.filter((status) => status === wanted).length;
    expect(Object.fromEntries([...new Set(statuses)].map((status) => [status, countOf(status)]))).toEqual({
      201: 25,
      insufficient_stock: 275,
    });
    expect(await stockOf(shop, id)).toBe(0);
  });

  test('64 baskets of the same five products, written in opposite orders, are all placed', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => createProduct(shop, { stock: 1000 })));
    const responses = await Promise.all(
      Array.from({ length: 64 }, (_, i) => {
        const lines = ids.map((id): [number, number] => [id, 1]);
        return placeOrder(shop, i + 1, basket(...(i % 2 === 0 ? lines : lines.reverse())));
      }),
    );
    expect(responses.map((response) => response.status)).toEqual(Array(64).fill(201));
    for (const id of ids) expect(await stockOf(shop, id)).toBe(936);
  });
});
