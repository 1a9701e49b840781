import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { admin, createProduct } from './support/product.factory.ts';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
/** Counts up to five products. */
let counting: Replica;

beforeAll(async () => {
  shop = await startTestShop();
  counting = await shop.startReplica({ exactTotals: 5 });
  await shop.run(`
    INSERT INTO products (name, price_minor, stock, category, owner_id)
    SELECT 'Product ' || n, n * 100, 1, CASE WHEN n <= 5 THEN 'Few' ELSE 'Many' END, 1 FROM generate_series(1, 60) AS n`);
});
afterAll(() => shop.close());

const totalOf = async ({ app }: Pick<Replica, 'app'>, query = '') => {
  const { body } = await request(app).get(`/api/products?per_page=4&${query}`).expect(200);
  return { total: body.total, pages: body.pages, isEstimate: body.total_is_estimate };
};

describe('total', () => {
  test('is exact for few rows', async () => {
    expect(await totalOf(shop)).toEqual({ total: 60, pages: 15, isEstimate: false });
    expect(await totalOf(counting, 'category=Few')).toEqual({ total: 5, pages: 2, isEstimate: false });
    expect(await totalOf(counting, 'category=None')).toEqual({ total: 0, pages: 0, isEstimate: false });
  });

  test('exceeds the counted rows if statistics are missing', async () => {
    expect(await totalOf(counting, 'category=Many')).toMatchObject({ isEstimate: true });
    expect((await totalOf(counting, 'category=Many')).total).toBeGreaterThanOrEqual(6);
  });

  test("is Postgres's estimate if it has statistics", async () => {
    await shop.run('ANALYZE products');
    expect(await totalOf(counting, 'category=Many&min_price=0')).toEqual({
      total: 55,
      pages: 14,
      isEstimate: true,
    });
    expect(await totalOf(counting, 'min_price=31')).toMatchObject({ isEstimate: true });
    expect(await totalOf(counting, 'min_price=56')).toEqual({ total: 5, pages: 2, isEstimate: false });
  });
});

describe('counts of categories', () => {
  const counts = async () =>
    (await request(shop.app).get('/api/products/categories?counts=true').expect(200)).body.counts;

  test('follow products that are added, moved and deleted', async () => {
    const { id } = await createProduct(shop.app, { category: 'Few' });
    expect(await counts()).toEqual({ Few: 6, Many: 55 });
    const change = (body: object) =>
      request(shop.app).patch(`/api/products/${id}`).set('Authorization', admin()).send(body).expect(200);
    await change({ category: 'New' });
    await change({ name: 'Another name', sku: 'S-1' });
    expect(await counts()).toEqual({ Few: 5, Many: 55, New: 1 });
    await request(shop.app).delete(`/api/products/${id}`).set('Authorization', admin()).expect(200);
    expect(await counts()).toEqual({ Few: 5, Many: 55 });
  });

  test('are correct with many concurrent sellers', async () => {
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        createProduct(shop.app, { category: i % 2 === 0 ? 'Few' : 'Many' }),
      ),
    );
    expect(await counts()).toEqual({ Few: 25, Many: 75 });
  });

  test('exclude a product that was rolled back', async () => {
    await createProduct(shop.app, { category: 'Few', sku: 'TAKEN' });
    await expect(createProduct(shop.app, { category: 'Few', sku: 'TAKEN' })).rejects.toThrow('sku_taken');
    expect((await counts()).Few).toBe(26);
  });
});

describe('the total of a search for two frequent words', () => {
  test('is exact if no product has both', async () => {
    await shop.run(`
      INSERT INTO products (name, price_minor, stock, category, owner_id)
      SELECT (ARRAY['Wired', 'Wireless'])[1 + n % 2] || ' mouse', 100, 1, 'Mice', 1 FROM generate_series(1, 200) AS n`);
    await shop.run('ANALYZE products');
    const walking = await shop.startReplica({ exactTotals: 5, fewMatches: 5 });
    expect(await totalOf(walking, 'q=wired')).toMatchObject({ isEstimate: true });
    expect(await totalOf(walking, 'q=wired%20wireless')).toEqual({ total: 0, pages: 0, isEstimate: false });
  });
});
