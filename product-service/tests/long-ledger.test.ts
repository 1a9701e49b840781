import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { admin, createProduct } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

test('a long ledger is counted up to the last row of its pages', async () => {
  const { id } = await createProduct(shop.app, { stock: 0 });
  await shop.run(`INSERT INTO stock_movements (product_id, delta, reason, actor, stock_after)
    SELECT ${id}, 1, 'set', 'user:1', n FROM generate_series(1, 10500) AS n`);
  const { body } = await request(shop.app)
    .get(`/api/products/${id}/stock-movements?per_page=100`)
    .set('Authorization', admin())
    .expect(200);
  expect(body).toMatchObject({ total: 10_001, pages: 100, pages_capped: true });
});
