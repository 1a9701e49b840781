import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Express } from 'express';
import request from 'supertest';
import { importFile } from './support/catalogue-file.ts';
import { adjust, patch, remove } from './support/changes.ts';
import { createInternalCalls } from './support/internal.calls.ts';
import { createProduct, type ProductJson, readProduct } from './support/product.factory.ts';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { createCountedDatabase } from './support/watched-database.ts';
import { VISIBLE_WITHIN, within } from './support/within.ts';

/** Milliseconds after which lists with `in_stock` must show a change of availability (docs/http-api.md). */
const STOCK_CONTRACT = 5000;
/** Longer than a process serves its own copies, in milliseconds. */
const COPIES = 500;

let shop: TestShop;
let replica: Replica;
const database = createCountedDatabase();
beforeAll(async () => {
  shop = await startTestShop();
  replica = await shop.startReplica({ wrap: database.wrap });
});
afterAll(() => shop.close());

const { reserve, release } = createInternalCalls(() => shop.app);

type Query = Record<string, string>;
const list = async (app: Express, query: Query): Promise<ProductJson[]> =>
  (await request(app).get('/api/products').query(query).expect(200)).body.products;
const idsIn = async (app: Express, query: Query) => (await list(app, query)).map(({ id }) => id);

/** Expects this of a list: immediately on the replica that made the change, on the other one in time. */
async function expectIds(query: Query, ids: number[], contract = VISIBLE_WITHIN): Promise<void> {
  if (contract === VISIBLE_WITHIN) expect(await idsIn(shop.app, query)).toEqual(ids);
  await within(contract, async () => {
    for (const { app } of [shop, replica]) expect(await idsIn(app, query)).toEqual(ids);
  });
}

describe('cached lists', () => {
  test('of a search in one category show that a word is no longer rare in the catalogue', async () => {
    const { id } = await createProduct(shop.app, { name: 'Wurzelbohrer', category: 'Rare X' });
    const query = { category: 'rare x', q: 'wurzelbohren' };
    await expectIds(query, [id]);
    for (let i = 0; i < 5; i++) await createProduct(shop.app, { name: 'Wurzelbohren', category: 'Rare Y' });
    await expectIds(query, []);
  });

  test('show an order, a release and a price within a second, without a query', async () => {
    const category = 'Asks nothing';
    const { id } = await createProduct(shop.app, { category, stock: 10, price: 5 });
    await createProduct(shop.app, { category });
    await readProduct(replica.app, id);
    for (const { app } of [replica, shop]) await list(app, { category });
    await sleep(COPIES);
    for (const { app } of [shop, replica]) await list(app, { category });
    await sleep(COPIES);
    await list(replica.app, { category });
    const asked = database.count();
    const shown = async (app: Express) =>
      [await readProduct(app, id), (await list(app, { category }))[0]].map((product) => [
        product?.stock,
        product?.price,
      ]);
    const expectShown = async (stock: number, price: number) => {
      const both = [
        [stock, price],
        [stock, price],
      ];
      expect(await shown(shop.app)).toEqual(both);
      await within(VISIBLE_WITHIN, async () => expect(await shown(replica.app)).toEqual(both));
    };
    const reservation = crypto.randomUUID();
    await reserve(reservation, [id, 4]).expect(200);
    await expectShown(6, 5);
    await release(reservation).expect(200);
    await expectShown(10, 5);
    await patch(shop.app, id, { price: 7 });
    await expectShown(10, 7);
    await adjust(shop.app, id, -3);
    await expectShown(7, 7);
    expect(database.count()).toBe(asked);
  });

  test('have an ETag that changes exactly if the bytes change', async () => {
    const category = 'Tagged';
    const { id } = await createProduct(shop.app, { category, price: 1 });
    const tagOf = async () =>
      (await request(shop.app).get('/api/products').query({ category })).headers['etag'];
    const first = await tagOf();
    await patch(shop.app, id, { price: 2 });
    const second = await tagOf();
    expect(second).not.toBe(first);
    const unchanged = request(shop.app).get('/api/products').query({ category });
    await unchanged.set('If-None-Match', String(second)).expect(304);
  });

  test('stay cached if a product of another category changes', async () => {
    const untouched = await createProduct(shop.app, { category: 'Untouched' });
    const { id } = await createProduct(shop.app, { category: 'Touched' });
    await readProduct(replica.app, untouched.id);
    await list(replica.app, { category: 'Untouched' });
    await sleep(COPIES);
    const asked = database.count();
    await patch(shop.app, id, { price: 3 });
    await remove(shop.app, id);
    await within(VISIBLE_WITHIN, () => request(replica.app).get(`/api/products/${id}`).expect(404));
    const afterRemoval = database.count();
    expect(await list(replica.app, { category: 'Untouched' })).toHaveLength(1);
    expect([afterRemoval - asked, database.count() - afterRemoval]).toEqual([1, 0]);
  });

  test('follow a changed price in their order and their filter', async () => {
    const category = 'By price';
    const cheap = await createProduct(shop.app, { category, price: 1 });
    const dear = await createProduct(shop.app, { category, price: 9 });
    await expectIds({ category, sort: 'price' }, [cheap.id, dear.id]);
    await expectIds({ category, min_price: '5' }, [dear.id]);
    await expectIds({ category, max_price: '5', sort: '-id' }, [cheap.id]);
    await patch(shop.app, cheap.id, { price: 10 });
    await Promise.all([
      expectIds({ category, sort: 'price' }, [dear.id, cheap.id]),
      expectIds({ category, min_price: '5' }, [cheap.id, dear.id]),
      expectIds({ category, max_price: '5', sort: '-id' }, []),
    ]);
  });

  test('follow a changed name in their order and their search', async () => {
    const category = 'By name';
    const first = await createProduct(shop.app, { category, name: 'Aardvark' });
    const second = await createProduct(shop.app, { category, name: 'Badger' });
    await expectIds({ category, sort: 'name' }, [first.id, second.id]);
    await expectIds({ q: 'aardvark' }, [first.id]);
    await patch(shop.app, first.id, { name: 'Zebra finch' });
    await Promise.all([
      expectIds({ category, sort: 'name' }, [second.id, first.id]),
      expectIds({ q: 'aardvark' }, []),
      expectIds({ q: 'zebra finch' }, [first.id]),
    ]);
  });

  test.each(['PATCH', 'import'])('follow a move to another category by %s', async (way) => {
    const [from, to] = [`From by ${way}`, `To by ${way}`];
    const sku = `MOVES-BY-${way}`;
    const { id, name } = await createProduct(shop.app, { category: from, sku });
    await expectIds({ category: from }, [id]);
    await expectIds({ category: to }, []);
    await (way === 'PATCH'
      ? patch(shop.app, id, { category: to })
      : importFile(shop.app, `name,price,sku,category\n${name},2,${sku},${to}\n`).expect(200));
    await Promise.all([expectIds({ category: from }, []), expectIds({ category: to }, [id])]);
    await within(VISIBLE_WITHIN, async () => {
      const { body } = await request(replica.app).get('/api/products/categories');
      expect(body.categories).toContain(to);
      expect(body.categories).not.toContain(from);
    });
  });

  test('show the changes and new products of an import', async () => {
    const category = 'Imported';
    const { id } = await createProduct(shop.app, { category, sku: 'IMPORTED-1', price: 1 });
    await list(replica.app, { category });
    const file = `name,price,sku,category\nNew name,2,IMPORTED-1,${category}\nAnother,3,IMPORTED-2,${category}\n`;
    await importFile(shop.app, file).expect(200);
    await within(VISIBLE_WITHIN, async () => {
      for (const { app } of [shop, replica]) {
        const shown = (await list(app, { category })).map(({ name, price }) => [name, price]);
        expect(shown).toEqual([
          ['New name', 2],
          ['Another', 3],
        ]);
        expect(await readProduct(app, id)).toMatchObject({ name: 'New name', price: 2 });
      }
    });
  });

  test('with in_stock follow the stock within 5 s', async () => {
    const category = 'In stock';
    const { id } = await createProduct(shop.app, { category, stock: 1 });
    await expectIds({ category, in_stock: 'true' }, [id]);
    await expectIds({ category, in_stock: 'false' }, []);
    await reserve(crypto.randomUUID(), [id, 1]).expect(200);
    await Promise.all([
      expectIds({ category, in_stock: 'true' }, [], STOCK_CONTRACT),
      expectIds({ category, in_stock: 'false' }, [id], STOCK_CONTRACT),
    ]);
  });

  test('drop a deleted product, also one that is deleted while it is reserved', async () => {
    const category = 'Deleted';
    const [kept, gone] = [
      await createProduct(shop.app, { category }),
      await createProduct(shop.app, { category, stock: 5 }),
    ];
    const reservation = crypto.randomUUID();
    await reserve(reservation, [kept.id, 1], [gone.id, 1]).expect(200);
    await expectIds({ category }, [kept.id, gone.id]);
    await remove(shop.app, gone.id);
    await expectIds({ category }, [kept.id]);
    await release(reservation).expect(200);
    await request(shop.app).get(`/api/products/${gone.id}`).expect(404);
    expect(await readProduct(shop.app, kept.id)).toMatchObject({ stock: kept.stock });
    await expectIds({ category }, [kept.id]);
  });
});
