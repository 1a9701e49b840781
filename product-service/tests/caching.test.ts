import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Query } from '@shop/service-kit/postgres/query';
import type { Express } from 'express';
import request from 'supertest';
import { patch, remove } from './support/changes.ts';
import { createProduct, readProduct, seller } from './support/product.factory.ts';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { createCountedDatabase, createSlowDatabase } from './support/watched-database.ts';
import { VISIBLE_WITHIN, within } from './support/within.ts';

let shop: TestShop;
let replica: Replica;
beforeAll(async () => {
  shop = await startTestShop();
  replica = await shop.startReplica();
});
afterAll(() => shop.close());

const priceOf = async (app: Express, id: number) => (await readProduct(app, id)).price;
const priceInList = async (app: Express, category: string) =>
  (await request(app).get('/api/products').query({ category }).expect(200)).body.products[0]?.price;

const cacheStatus = async (app: Express, path: string, status = 200) =>
  (await request(app).get(path).expect(status)).headers['cache-status'];

describe('cached reads', () => {
  test('report in Cache-Status whether they came from the cache, on every replica', async () => {
    const { id } = await createProduct(shop.app, { category: 'Cached' });
    const paths = {
      product: `/api/products/${id}`,
      product_list: '/api/products?category=Cached',
      categories: '/api/products/categories',
    };
    for (const [name, path] of Object.entries(paths)) {
      const first = await request(shop.app).get(path).expect(200);
      const second = await request(replica.app).get(path).expect(200);
      expect(first.headers['cache-status']).toBe(`${name}; fwd=miss`);
      expect(second.headers['cache-status']).toBe(`${name}; hit`);
      expect(second.text).toBe(first.text);
      expect(second.headers['etag']).toBe(first.headers['etag']);
    }
  });

  test('share one entry for equivalent queries', async () => {
    await cacheStatus(shop.app, '/api/products?min_price=1&sort=price');
    expect(await cacheStatus(shop.app, '/api/products?sort=price&min_price=1.00')).toContain('hit');
    expect(await cacheStatus(shop.app, '/api/products?sort=price&min_price=2')).toContain('miss');
  });

  test('show each of 50 changes immediately on the replica that made it, within a second on the other', async () => {
    const writeAndRead = async (number: number) => {
      const category = `Write then read ${number}`;
      const { id } = await createProduct(shop.app, { category });
      for (let price = 1; price <= 10; price += 1) {
        await patch(shop.app, id, { price });
        const shown = (app: Express) => Promise.all([priceOf(app, id), priceInList(app, category)]);
        expect(await shown(shop.app)).toEqual([price, price]);
        await within(VISIBLE_WITHIN, async () => expect(await shown(replica.app)).toEqual([price, price]));
      }
      await remove(shop.app, id);
      await request(shop.app).get(`/api/products/${id}`).expect(404);
      await within(VISIBLE_WITHIN, async () => {
        await request(replica.app).get(`/api/products/${id}`).expect(404);
        expect(await priceInList(replica.app, category)).toBeUndefined();
      });
    };
    await Promise.all([1, 2, 3, 4, 5].map(writeAndRead));
  });

  test('show a new category immediately, on the other replica within a second', async () => {
    const names = async (app: Express) =>
      (await request(app).get('/api/products/categories')).body.categories;
    for (const { app } of [shop, replica]) expect(await names(app)).not.toContain('Brand new');
    await createProduct(shop.app, { category: 'Brand new' });
    expect(await names(shop.app)).toContain('Brand new');
    await within(VISIBLE_WITHIN, async () => expect(await names(replica.app)).toContain('Brand new'));
  });

  test('return 304 and HEAD from memory', async () => {
    const { id } = await createProduct(shop.app);
    const path = `/api/products/${id}`;
    const { headers, text } = await request(shop.app).get(path);
    const unchanged = await request(shop.app).get(path).set('If-None-Match', String(headers['etag']));
    expect([unchanged.status, unchanged.text]).toEqual([304, '']);
    expect(unchanged.headers['cache-status']).toBe('product; hit');
    const head = await request(shop.app).head(path);
    expect(head.headers).toMatchObject({ etag: headers['etag'], 'cache-status': 'product; hit' });
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(text)));
  });

  test('remember that a product does not exist, until it does', async () => {
    const database = createCountedDatabase();
    const counted = await shop.startReplica({ wrap: database.wrap });
    const { id } = await createProduct(shop.app);
    const next = `/api/products/${id + 1}`;
    await request(counted.app).get(next).expect(404);
    await request(counted.app).get(next).expect(404);
    expect(database.count()).toBe(1);
    expect(await createProduct(shop.app)).toMatchObject({ id: id + 1 });
    await within(VISIBLE_WITHIN, () => request(counted.app).get(next).expect(200));
  });

  test('do not return old data that a slow read loaded before a change', async () => {
    const slow = createSlowDatabase();
    const slowReplica = await shop.startReplica({ wrap: slow.wrap });
    const { id } = await createProduct(shop.app, { price: 1, category: 'Slow' });
    const list = '/api/products?category=Slow';
    const late = Promise.all([readProduct(slowReplica.app, id), request(slowReplica.app).get(list)]);
    await slow.held;
    await sleep(100);
    await patch(shop.app, id, { price: 2 });
    expect(await priceOf(shop.app, id)).toBe(2);
    slow.release();
    await late;
    const replicas = [shop.app, replica.app, slowReplica.app];
    const shown = () => Promise.all(replicas.flatMap((app) => [priceOf(app, id), priceInList(app, 'Slow')]));
    await within(VISIBLE_WITHIN, async () => expect(await shown()).toEqual([2, 2, 2, 2, 2, 2]));
    const endsAt = Date.now() + 2000;
    while (Date.now() < endsAt) expect(await shown()).toEqual([2, 2, 2, 2, 2, 2]);
  });

  test('recover from a change whose invalidation was lost', async () => {
    const sales = { category: 'Untold', price: 1, stock: 5 };
    const [{ id }, counted, deleted] = [
      await createProduct(shop.app, sales),
      await createProduct(shop.app, sales),
      await createProduct(shop.app, sales),
    ];
    const shown = async (app: Express, product: number) => {
      const { status, body } = await request(app).get(`/api/products/${product}`);
      const list = await request(app).get('/api/products?category=Untold').expect(200);
      const listed = list.body.products.find((each: { id: number }) => each.id === product);
      return [status, body.product?.price, listed?.price];
    };
    const all = [id, counted.id, deleted.id];
    for (const { app } of [shop, replica])
      for (const each of all) expect(await shown(app, each)).toEqual([200, 1, 1]);
    // The change of a process that crashed between its commit and the invalidation in Redis.
    await shop.run(`UPDATE products SET price_minor = 200, version = version + 1,
                    catalogue_version = catalogue_version + 1 WHERE category = 'Untold'`);
    await shop.run(`UPDATE products SET deleted_at = now() WHERE id = ${deleted.id}`);
    for (const each of all) expect(await shown(shop.app, each)).toEqual([200, 1, 1]);

    const call = (method: 'patch' | 'put' | 'delete', path: string, body?: object) =>
      request(shop.app)[method](`/api/products/${path}`).set('Authorization', seller()).send(body);
    const asShown = (product: number) => `"${product}-1-1"`;
    await call('patch', `${id}`, { price: 3 }).set('If-Match', asShown(id)).expect(412);
    await call('put', `${counted.id}/stock`, { quantity: 1 })
      .set('If-Match', asShown(counted.id))
      .expect(412);
    await call('delete', `${deleted.id}`).expect(404);
    for (const { app } of [shop, replica])
      await within(VISIBLE_WITHIN, async () => {
        expect(await shown(app, id)).toEqual([200, 2, 2]);
        expect(await shown(app, counted.id)).toEqual([200, 2, 2]);
        expect(await shown(app, deleted.id)).toEqual([404, undefined, undefined]);
      });
  });

  test('load an uncached product once on each replica for 50 concurrent readers', async () => {
    const slow = createSlowDatabase();
    const database = createCountedDatabase();
    const wrap = (query: Query) => database.wrap(slow.wrap(query));
    const counted = await Promise.all([1, 2].map(() => shop.startReplica({ wrap })));
    const { id } = await createProduct(shop.app);
    const readers = counted.flatMap(({ app }) => Array.from({ length: 50 }, () => readProduct(app, id)));
    await slow.held;
    slow.release();
    expect(new Set((await Promise.all(readers)).map((product) => product.id))).toEqual(new Set([id]));
    expect(database.count()).toBeLessThanOrEqual(2);
  });
});

describe('without Redis', () => {
  test('a process serves its own copies for a moment, and its own changes at once', async () => {
    const alone = await shop.startReplica({ redis: false });
    const { id } = await createProduct(alone.app, { price: 1 });
    const path = `/api/products/${id}`;
    expect(await cacheStatus(alone.app, path)).toBe('product; fwd=miss');
    await within(10 * VISIBLE_WITHIN, async () =>
      expect(await cacheStatus(alone.app, path)).toBe('product; hit'),
    );
    await patch(alone.app, id, { price: 2 });
    expect((await readProduct(alone.app, id)).price).toBe(2);
    await patch(shop.app, id, { price: 3 });
    await within(VISIBLE_WITHIN, async () => expect(await priceOf(alone.app, id)).toBe(3));
  });

  test('reads and writes use the database while Redis is unavailable', async () => {
    const cut = await shop.startReplica();
    const { id } = await createProduct(cut.app, { price: 1 });
    await readProduct(cut.app, id);
    cut.redis.client.disconnect();
    await sleep(VISIBLE_WITHIN);
    expect(await cacheStatus(cut.app, `/api/products/${id}`)).toBe('product; fwd=miss');
    await patch(cut.app, id, { price: 2 });
    expect((await readProduct(cut.app, id)).price).toBe(2);
    await request(cut.app).get('/api/products').expect(200);
    await request(cut.app).get('/api/products/categories').expect(200);
    await cut.redis.client.connect();
    await within(VISIBLE_WITHIN, async () => expect(await priceOf(replica.app, id)).toBe(2));
  });
});
