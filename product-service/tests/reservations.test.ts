import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer, TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import request from 'supertest';
import { createInternalCalls, items, token } from './support/internal.calls.ts';
import { createProduct } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/product-service.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const { post, reserve, release } = createInternalCalls(() => shop.app);
const stockOf = async (id: number) => (await shop.db.product.findUniqueOrThrow({ where: { id } })).stock;
const ledgerOf = async (productId: number) =>
  (await shop.db.stockMovement.findMany({ where: { productId }, orderBy: { id: 'asc' } })).map((row) => [
    row.delta,
    row.reason,
    row.actor,
    row.stockAfter,
  ]);
const make = async (stock: number) => (await createProduct(shop.app, { stock, price: 12.5 })).id;

describe('POST /internal/reservations', () => {
  test('takes the items, writes the ledger, and returns what they cost in that moment', async () => {
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
    expect([await stockOf(a), await stockOf(b)]).toEqual([7, 0]);
    expect((await ledgerOf(a)).at(-1)).toEqual([-3, 'reserved', 'service:order-service', 7]);
  });

  test('returns the same again for the same id, also with prices changed since, and takes nothing twice', async () => {
    const a = await make(10);
    const id = randomUUID();
    const first = await reserve(id, [a, 3]);
    await shop.db.product.update({ where: { id: a }, data: { priceMinor: 1n } });
    const again = await Promise.all([reserve(id, [a, 3]), reserve(id, [a, 3])]);
    for (const response of again) expect(response.body).toEqual(first.body);
    expect(await stockOf(a)).toBe(7);
  });

  test('refuses other items under the same id', async () => {
    const a = await make(10);
    const id = randomUUID();
    await reserve(id, [a, 3]);
    const response = await reserve(id, [a, 4]);
    expect([response.status, response.body.code]).toEqual([422, 'reservation_mismatch']);
  });

  test('takes nothing when any line is short or unknown, and remembers that', async () => {
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
    expect(await stockOf(a)).toBe(10);
  });

  test('one id from 20 callers at once holds once', async () => {
    const a = await make(100);
    const id = randomUUID();
    const responses = await Promise.all(Array.from({ length: 20 }, () => reserve(id, [a, 2])));
    expect(new Set(responses.map((response) => response.status))).toEqual(new Set([200]));
    expect(await stockOf(a)).toBe(98);
  });

  test('one id with other items at the same moment: one of them holds', async () => {
    const products = await Promise.all(Array.from({ length: 10 }, () => make(10)));
    const id = randomUUID();
    const responses = await Promise.all(products.map((product) => reserve(id, [product, 1])));
    expect(responses.map((response) => response.status).sort()).toEqual([200, ...Array(9).fill(422)]);
    const stocks = await Promise.all(products.map(stockOf));
    expect(stocks.reduce((sum, stock) => sum + stock, 0)).toBe(99);
  });

  test('opposite baskets on the same products do not deadlock', async () => {
    const [a, b] = [await make(1000), await make(1000)];
    const responses = await Promise.all(
      Array.from({ length: 60 }, () => reserve(randomUUID(), [a, 1], [b, 2])),
    );
    expect(new Set(responses.map((response) => response.body.status))).toEqual(new Set(['HELD']));
    expect([await stockOf(a), await stockOf(b)]).toEqual([940, 880]);
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
  test('gives the stock back once, whoever asks again', async () => {
    const a = await make(10);
    const id = randomUUID();
    await reserve(id, [a, 4]);
    const responses = await Promise.all([release(id), release(id), release(id)]);
    expect(responses.map((response) => response.body.changed).sort()).toEqual([false, false, true]);
    expect(await stockOf(a)).toBe(10);
    expect(await ledgerOf(a)).toEqual([
      [10, 'initial', 'user:7', 10],
      [-4, 'reserved', 'service:order-service', 6],
      [4, 'released', 'service:order-service', 10],
    ]);
  });

  test('of an unknown id leaves a tombstone: a reserve that arrives late gets nothing', async () => {
    const a = await make(10);
    const id = randomUUID();
    expect((await release(id)).body).toEqual({ id, status: 'RELEASED', changed: false });
    expect((await reserve(id, [a, 4])).body).toMatchObject({
      status: 'RELEASED',
      lines: null,
      refusal: null,
    });
    expect(await stockOf(a)).toBe(10);
  });

  test('racing its own reserve leaves nothing held', async () => {
    const a = await make(1000);
    for (let i = 0; i < 20; i++) {
      const id = randomUUID();
      await Promise.all([reserve(id, [a, 1]), release(id)]);
      await release(id);
    }
    expect(await stockOf(a)).toBe(1000);
  });

  test('gives stock back to a product that was deleted since', async () => {
    const a = await make(3);
    const id = randomUUID();
    await reserve(id, [a, 2]);
    await shop.db.product.update({ where: { id: a }, data: { deletedAt: new Date() } });
    expect((await release(id)).body.changed).toBe(true);
    expect(await stockOf(a)).toBe(3);
  });
});

describe('what is held', () => {
  test('is listed by age and shown in the metrics', async () => {
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

test('reservations that are held for long come in pages, those of one instant as well', async () => {
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

describe('POST /internal/quotes', () => {
  test('returns prices and the lines that are not available, and holds nothing', async () => {
    const [a, b] = [await make(3), await make(1)];
    const response = await post('/internal/quotes', { items: items([a, 3], [b, 2], [2_000_000_000, 1]) });
    expect(response.body).toMatchObject({
      currency: 'USD',
      lines: [
        { product_id: a, quantity: 3, price_minor: 1250 },
        { product_id: b, quantity: 2, price_minor: 1250 },
      ],
      refusal: [
        { product_id: b, requested: 2, available: 1 },
        { product_id: 2_000_000_000, requested: 1, available: null },
      ],
    });
    expect((await post('/internal/quotes', { items: items([a, 3]) })).body.refusal).toBeNull();
    expect(await stockOf(a)).toBe(3);
  });

  test('takes many baskets, and returns one quote each, in their order', async () => {
    const [a, b] = [await make(3), await make(1)];
    const quotes = [items([b, 2]), items([a, 3]), items([a, 1], [b, 1])].map((list) => ({ items: list }));
    const response = await post('/internal/quotes', { quotes });
    expect(response.body).toMatchObject({
      currency: 'USD',
      quotes: [
        { lines: [{ product_id: b }], refusal: [{ product_id: b, requested: 2, available: 1 }] },
        { lines: [{ product_id: a, quantity: 3 }], refusal: null },
        { lines: [{ product_id: a }, { product_id: b, quantity: 1, price_minor: 1250 }], refusal: null },
      ],
    });
    const tooMany = Array.from({ length: 101 }, () => ({ items: items([a, 1]) }));
    expect((await post('/internal/quotes', { quotes: tooMany })).status).toBe(400);
    expect((await post('/internal/quotes', { quotes: [] })).status).toBe(400);
  });
});

describe('stock that is given back', () => {
  test('may exceed 1,000,000,000, ends at what the column holds, and the ledger adds up', async () => {
    const a = await make(1_000_000_000);
    const ids = [randomUUID(), randomUUID()];
    for (const id of ids) await reserve(id, [a, 1_000_000]);
    const raise = async (stock: number) => {
      const delta = stock - (await stockOf(a));
      const data = { productId: a, delta, reason: 'test', actor: 'test', stockAfter: stock };
      await shop.db.product.update({ where: { id: a }, data: { stock } });
      await shop.db.stockMovement.create({ data });
    };
    await raise(1_000_000_000);
    expect((await release(ids[0] ?? '')).body.changed).toBe(true);
    expect(await stockOf(a)).toBe(1_001_000_000);
    await raise(2_147_483_000);
    expect((await release(ids[1] ?? '')).body).toMatchObject({ status: 'RELEASED', changed: true });
    expect(await stockOf(a)).toBe(2_147_483_647);
    const { _sum: sum } = await shop.db.stockMovement.aggregate({
      _sum: { delta: true },
      where: { productId: a },
    });
    expect(sum.delta).toBe(2_147_483_647);
  });
});
