import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer, TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import request from 'supertest';
import { createReservationUseCases } from '../src/inventory/reservation.use-cases.ts';
import { createInternalCalls, items, token } from './support/internal.calls.ts';
import { createProduct } from './support/product.factory.ts';
import { ledgerOf, stockOf } from './support/stock.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const { post, reserve, release } = createInternalCalls(() => shop.app);
const make = async (stock: number) => (await createProduct(shop.app, { stock, price: 12.5 })).id;

describe('POST /internal/reservations', () => {
  test('reserves the items, writes the ledger, and returns the current prices', async () => {
    const [a, b] = [await make(10), await make(5)];
    const id = randomUUID();
    const response = await reserve(id, [a, 3], [b, 5]);
    expect(response.status).toBe(200);
    expect(response.body).toEqual({
      id,
      status: 'HELD',
      currency: 'USD',
      lines: [
        { product_id: a, quantity: 3, name: expect.any(String), price_minor: 1250, owner_id: 7 },
        { product_id: b, quantity: 5, name: expect.any(String), price_minor: 1250, owner_id: 7 },
      ],
      refusal: null,
    });
    expect([await stockOf(shop, a), await stockOf(shop, b)]).toEqual([7, 0]);
    expect((await ledgerOf(shop, a)).at(-1)).toEqual([-3, 'reserved', 'service:order-service', 7]);
  });

  test('returns the same result for the same id, even if prices have changed, and reserves nothing twice', async () => {
    const a = await make(10);
    const id = randomUUID();
    const first = await reserve(id, [a, 3]);
    await shop.db.product.update({ where: { id: a }, data: { priceMinor: 1n } });
    const again = await Promise.all([reserve(id, [a, 3]), reserve(id, [a, 3])]);
    for (const response of again) expect(response.body).toEqual(first.body);
    expect(await stockOf(shop, a)).toBe(7);
  });

  test('refuses other items under the same id', async () => {
    const a = await make(10);
    const id = randomUUID();
    await reserve(id, [a, 3]);
    const response = await reserve(id, [a, 4]);
    expect([response.status, response.body.code]).toEqual([422, 'reservation_mismatch']);
  });

  test('reserves nothing if any line is short or unknown, and repeats this result', async () => {
    const [a, b] = [await make(10), await make(1)];
    const id = randomUUID();
    const first = await reserve(id, [a, 1], [b, 2], [2_000_000_000, 1]);
    expect(first.body).toMatchObject({
      status: 'RELEASED',
      lines: null,
      refusal: [
        { product_id: b, requested: 2, available: 1 },
        { product_id: 2_000_000_000, requested: 1, available: null },
      ],
    });
    await shop.db.product.update({ where: { id: b }, data: { stock: 100 } });
    expect((await reserve(id, [a, 1], [b, 2], [2_000_000_000, 1])).body).toEqual(first.body);
    expect(await stockOf(shop, a)).toBe(10);
  });

  test('reserves once for 20 concurrent calls with the same id', async () => {
    const a = await make(100);
    const id = randomUUID();
    const responses = await Promise.all(Array.from({ length: 20 }, () => reserve(id, [a, 2])));
    expect(new Set(responses.map((response) => response.status))).toEqual(new Set([200]));
    expect(await stockOf(shop, a)).toBe(98);
  });

  test('reserves for one of several concurrent calls with the same id and different items', async () => {
    const products = await Promise.all(Array.from({ length: 10 }, () => make(10)));
    const id = randomUUID();
    const responses = await Promise.all(products.map((product) => reserve(id, [product, 1])));
    expect(responses.map((response) => response.status).sort()).toEqual([200, ...Array(9).fill(422)]);
    const stocks = await Promise.all(products.map((id) => stockOf(shop, id)));
    expect(stocks.reduce((sum, stock) => sum + stock, 0)).toBe(99);
  });

  test('does not deadlock with concurrent baskets of the same products', async () => {
    const [a, b] = [await make(1000), await make(1000)];
    const responses = await Promise.all(
      Array.from({ length: 60 }, () => reserve(randomUUID(), [a, 1], [b, 2])),
    );
    expect(new Set(responses.map((response) => response.body.status))).toEqual(new Set(['HELD']));
    expect([await stockOf(shop, a), await stockOf(shop, b)]).toEqual([940, 880]);
  });

  test.each([
    { items: [] },
    { items: items([2, 1], [1, 1]) },
    { items: items([1, 1], [1, 1]) },
    { items: items([1, 0]) },
    { items: items([1, 1.5]) },
    { reservation_id: 'x', items: items([1, 1]) },
  ])('refuses %j', async (body) => {
    const response = await post('/internal/reservations', { reservation_id: randomUUID(), ...body });
    expect(response.status).toBe(400);
  });

  test('is for services only', async () => {
    const body = { reservation_id: randomUUID(), items: items([1, 1]) };
    expect((await request(shop.app).post('/internal/reservations').send(body)).status).toBe(401);
    const other = createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', 'user-service');
    const forged = createServiceTokenSigner('another-secret', 'order-service', 'product-service');
    for (const authorization of [bearer(1, 'admin'), `Bearer ${other()}`, `Bearer ${forged()}`]) {
      const call = request(shop.app).post('/internal/reservations').set('Authorization', authorization);
      expect((await call.send(body)).status).toBe(401);
    }
  });
});

describe('release', () => {
  test('returns the stock once, however often it is called', async () => {
    const a = await make(10);
    const id = randomUUID();
    await reserve(id, [a, 4]);
    const responses = await Promise.all([release(id), release(id), release(id)]);
    expect(responses.map((response) => response.body.changed).sort()).toEqual([false, false, true]);
    expect(await stockOf(shop, a)).toBe(10);
    expect(await ledgerOf(shop, a)).toEqual([
      [10, 'initial', 'user:7', 10],
      [-4, 'reserved', 'service:order-service', 6],
      [4, 'released', 'service:order-service', 10],
    ]);
  });

  test('of an unknown id leaves a tombstone: a late reservation is refused', async () => {
    const a = await make(10);
    const id = randomUUID();
    expect((await release(id)).body).toEqual({ id, status: 'RELEASED', changed: false });
    expect((await reserve(id, [a, 4])).body).toMatchObject({
      status: 'RELEASED',
      lines: null,
      refusal: null,
    });
    expect(await stockOf(shop, a)).toBe(10);
  });

  test('leaves nothing held if it races with its reservation', async () => {
    const a = await make(1000);
    for (let i = 0; i < 20; i++) {
      const id = randomUUID();
      await Promise.all([reserve(id, [a, 1]), release(id)]);
      await release(id);
    }
    expect(await stockOf(shop, a)).toBe(1000);
  });

  test('returns stock to a deleted product', async () => {
    const a = await make(3);
    const id = randomUUID();
    await reserve(id, [a, 2]);
    await shop.db.product.update({ where: { id: a }, data: { deletedAt: new Date() } });
    expect((await release(id)).body.changed).toBe(true);
    expect(await stockOf(shop, a)).toBe(3);
  });
});

describe('held reservations', () => {
  test('are listed by age and counted in the metrics', async () => {
    const a = await make(3);
    const id = randomUUID();
    await reserve(id, [a, 1]);
    await shop.db.reservation.update({ where: { id }, data: { createdAt: new Date(Date.now() - 120_000) } });
    const held = await request(shop.app)
      .get('/internal/reservations?older_than=100')
      .set('Authorization', `Bearer ${token()}`);
    expect(held.body.reservations).toEqual([{ id, created_at: expect.stringMatching(/Z$/) }]);
    const metrics = (await request(shop.app).get('/metrics')).text;
    expect(Number(/reservations_held\{[^}]*\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(0);
    expect(
      Number(/reservations_held_oldest_seconds\{[^}]*\} ([\d.]+)/.exec(metrics)?.[1]),
    ).toBeGreaterThanOrEqual(120);
  });
});

test('a statement whose connection was lost after its commit is not repeated', async () => {
  const wanted = [{ reservation_id: randomUUID(), items: items([await make(5), 1]) }];
  let sent = 0;
  const { reserve: reserveList } = createReservationUseCases({
    async query(...statement) {
      sent += 1;
      await shop.query(...statement);
      throw Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' });
    },
    stockChanged: async () => undefined,
    waiting: 1,
  });
  await expect(reserveList(wanted, 'service:tests', false)).rejects.toThrow('Connection terminated');
  expect(sent).toBe(1);
});

test('reservations that are held for long are paged, even if they have the same time', async () => {
  const createdAt = new Date(Date.now() - 3_600_000);
  const ids = Array.from({ length: 502 }, () => randomUUID()).toSorted();
  await shop.db.reservation.createMany({ data: ids.map((id) => ({ id, status: 'HELD', createdAt })) });
  const path = '/internal/reservations?older_than=3000';
  const page = async (query = '') =>
    (
      await request(shop.app)
        .get(path + query)
        .set('Authorization', `Bearer ${token()}`)
    ).body.reservations;
  const first = await page();
  const last = first.at(-1);
  const rest = await page(`&after_time=${last.created_at}&after_id=${last.id}`);
  expect([...first, ...rest].map(({ id }: { id: string }) => id)).toEqual(ids);
  await shop.db.reservation.deleteMany({ where: { id: { in: ids } } });
});
