import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { createInternalCalls, type Item, items } from './support/internal.calls.ts';
import { createProduct } from './support/product.factory.ts';
import { stockOf } from './support/stock.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const { post, reserve, release } = createInternalCalls(() => shop.app);
const make = async (stock: number) => (await createProduct(shop.app, { stock, price: 12.5 })).id;
const wanted = (id: string, ...lines: Item[]) => ({ reservation_id: id, items: items(...lines) });
const reserveAll = async (reservations: ReturnType<typeof wanted>[]) => {
  const response = await post('/internal/reservations', { reservations, wait: false });
  expect(response.status).toBe(200);
  return response.body.reservations;
};

test('a list of reservations shows all that it took in the cached product, whether it was decided together or one by one', async () => {
  const a = await make(10);
  const stockShown = async () =>
    (await request(shop.app).get(`/api/products/${a}`).expect(200)).body.product.stock;
  expect(await stockShown()).toBe(10);
  await reserveAll([wanted(randomUUID(), [a, 7])]);
  expect(await stockShown()).toBe(3);
  const statuses = (await reserveAll([2, 9, 1].map((units) => wanted(randomUUID(), [a, units])))).map(
    ({ status }: { status: string }) => status,
  );
  expect(statuses).toEqual(['HELD', 'RELEASED', 'HELD']);
  expect([await stockShown(), await stockOf(shop, a)]).toEqual([0, 0]);
});

test('a change of the stock changes the ETag, but not the version', async () => {
  const product = await createProduct(shop.app, { stock: 5 });
  const tagOf = async () => {
    const { etag } = (await request(shop.app).get(`/api/products/${product.id}`)).headers;
    return etag;
  };
  const before = await tagOf();
  const id = randomUUID();
  await reserve(id, [product.id, 1]);
  const [held] = [await tagOf()];
  await release(id);
  expect(new Set([before, held, await tagOf()]).size).toBe(3);
  expect((await request(shop.app).get(`/api/products/${product.id}`)).body.product).toMatchObject({
    version: product.version,
    stock: 5,
  });
});

test('a repeated release shows the stock, although the first one was killed before it reported to the cache', async () => {
  const a = await make(10);
  const stockShown = async () =>
    (await request(shop.app).get(`/api/products/${a}`).expect(200)).body.product.stock;
  const id = randomUUID();
  await reserve(id, [a, 4]);
  expect(await stockShown()).toBe(6);
  await shop.run(`SELECT release_reservation('${id}', 'service:order-service')`);
  expect(await stockShown()).toBe(6);
  expect((await release(id)).body).toEqual({ id, status: 'RELEASED', changed: false });
  expect([await stockShown(), await stockOf(shop, a)]).toEqual([10, 10]);
});
