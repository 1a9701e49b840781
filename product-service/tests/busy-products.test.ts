import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createProduct, seller } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

describe('a product that another transaction holds locked', () => {
  test('makes every change of it, and every use of its SKU, 503 product_busy', async () => {
    const { id } = await createProduct(shop.app, { sku: 'HELD' });
    const holder = await shop.connect();
    await holder.query('BEGIN');
    await holder.query("UPDATE products SET sku = 'TAKEN' WHERE id = $1", [id]);
    const body = { name: 'Another', price: 1 };
    const responses = await Promise.all(
      [
        request(shop.app).put(`/api/products/${id}`).send(body),
        request(shop.app).patch(`/api/products/${id}`).send({ price: 2 }),
        request(shop.app).delete(`/api/products/${id}`),
        request(shop.app).put(`/api/products/${id}/stock`).send({ quantity: 1 }),
        request(shop.app)
          .post('/api/products')
          .send({ ...body, sku: 'TAKEN' }),
      ].map((call) => call.set('Authorization', seller())),
    );
    await holder.query('ROLLBACK');
    await holder.end();
    for (const { status, body: problem, headers } of responses)
      expect([status, problem.code, headers['retry-after']]).toEqual([503, 'product_busy', '1']);
    const { body: document } = await request(shop.app).get('/openapi.json');
    expect(document.components.schemas.Problem.properties.code.enum).toContain('product_busy');
  });
});
