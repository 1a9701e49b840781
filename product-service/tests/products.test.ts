import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { productBody, SELLER, seller } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/product-service.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

describe('POST /api/products', () => {
  test('puts a product on sale that can be read and found at once', async () => {
    const body = productBody({ name: 'iPhone 15 Pro', price: 999.99, stock: 50, category: 'Electronics' });
    const created = await request(shop.app).post('/api/products').set('Authorization', seller()).send(body);
    expect(created.body).toEqual({
      message: 'Product created successfully',
      product: {
        id: expect.any(Number),
        name: 'iPhone 15 Pro',
        description: null,
        price: 999.99,
        currency: 'USD',
        stock: 50,
        category: 'Electronics',
        sku: null,
        image_url: null,
        owner_id: SELLER,
        version: 1,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        updated_at: expect.stringMatching(/Z$/),
      },
    });
    expect(created.status).toBe(201);
    const { product } = created.body;
    expect(created.headers['location']).toBe(`/api/products/${product.id}`);
    const read = await request(shop.app)
      .get(created.headers['location'] ?? '')
      .expect(200);
    expect(read.body).toEqual({ product });
    const list = await request(shop.app).get('/api/products').expect(200);
    expect(list.body).toEqual({
      products: [product],
      total: 1,
      page: 1,
      pages: 1,
      per_page: 20,
      next_cursor: null,
    });
  });
});
