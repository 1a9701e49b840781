import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createInternalCalls } from './support/internal.calls.ts';
import { admin, createProduct, readProduct, SELLER, seller, stranger } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const { reserve, release } = createInternalCalls(() => shop.app);
const adjust = (id: number, body: object, authorization = seller()) =>
  request(shop.app).put(`/api/products/${id}/stock`).set('Authorization', authorization).send(body);
const movements = (id: number, query = '', authorization = seller()) =>
  request(shop.app).get(`/api/products/${id}/stock-movements${query}`).set('Authorization', authorization);
const ledgerSum = async (productId: number) => {
  const { _sum } = await shop.db.stockMovement.aggregate({ where: { productId }, _sum: { delta: true } });
  return _sum.delta;
};

describe('PUT /api/products/:id/stock', () => {
  test('adds a difference, up or down', async () => {
    const product = await createProduct(shop.app, { stock: 50 });
    const up = await adjust(product.id, { quantity: 10 }).expect(200);
    expect(up.body).toEqual({
      message: 'Stock updated successfully',
      product: { ...product, stock: 60, updated_at: expect.any(String) },
    });
    const down = await adjust(product.id, { quantity: -60 }).expect(200);
    expect(down.body.product).toMatchObject({ stock: 0, version: 1 });
    expect(await readProduct(shop.app, product.id)).toEqual(down.body.product);
  });

  test('refuses to go below zero and changes nothing', async () => {
    const product = await createProduct(shop.app, { stock: 5 });
    const refused = await adjust(product.id, { quantity: -6 }).expect(400);
    expect(refused.body).toMatchObject({ code: 'insufficient_stock', error: 'Insufficient stock' });
    expect(await readProduct(shop.app, product.id)).toEqual(product);
    expect(await ledgerSum(product.id)).toBe(5);
  });

  test('refuses to go above a billion and changes nothing', async () => {
    const product = await createProduct(shop.app, { stock: 1_000_000_000 });
    const refused = await adjust(product.id, { quantity: 1 }).expect(400);
    expect(refused.body.code).toBe('stock_limit_exceeded');
    await adjust(product.id, { quantity: 1_000_000_000 }).expect(400);
    expect(await readProduct(shop.app, product.id)).toEqual(product);
  });

  test('can be reduced after a return raised it above a billion', async () => {
    const product = await createProduct(shop.app, { stock: 1_000_000_000 });
    const reservation = randomUUID();
    await reserve(reservation, [product.id, 10]).expect(200);
    await adjust(product.id, { quantity: 10 }).expect(200);
    await release(reservation).expect(200);
    const refused = await adjust(product.id, { quantity: 1 }).expect(400);
    expect(refused.body.code).toBe('stock_limit_exceeded');
    const reduced = await adjust(product.id, { quantity: -1 }).expect(200);
    expect(reduced.body.product.stock).toBe(1_000_000_009);
    const empty = await adjust(product.id, { quantity: -1_000_000_000 }).expect(200);
    expect(empty.body.product.stock).toBe(9);
  });

  test('accepts a difference of 0 and writes no ledger row', async () => {
    const { id } = await createProduct(shop.app, { stock: 5 });
    await adjust(id, { quantity: 0 }).expect(200);
    expect((await movements(id).expect(200)).body.total).toBe(1);
  });

  test.each([
    [{}, 'Quantity is required'],
    [{ quantity: null }, 'Quantity is required'],
    [{ quantity: '1' }, 'Quantity must be an integer'],
    [{ quantity: 1.5 }, 'Quantity must be an integer'],
    [{ quantity: -1_000_000_001 }, 'Quantity must be an integer'],
    [{ quantity: 2 ** 31 }, 'Quantity must be at most 1000000000'],
    [{ quantity: 1, reason: 'r'.repeat(201) }, 'Reason must be at most 200 characters'],
    [{ quantity: 1, stock: 2 }, 'Unknown field: stock'],
  ])('refuses %j', async (body, message) => {
    const { id } = await createProduct(shop.app);
    const refused = await adjust(id, body).expect(400);
    expect(refused.body.errors).toEqual([message]);
    expect(await readProduct(shop.app, id)).toMatchObject({ version: 1 });
  });

  test('is allowed for the owner and admins, and respects If-Match', async () => {
    const { id } = await createProduct(shop.app);
    await adjust(id, { quantity: 1 }, stranger()).expect(403);
    await adjust(id, { quantity: 1 }).set('If-Match', '"stale"').expect(412);
    await adjust(id, { quantity: 1 }, admin()).set('If-Match', `"${id}-1-1"`).expect(200);
    await adjust(id, { quantity: 1 }).set('If-Match', `"${id}-1-1"`).expect(412);
    await adjust(2_000_000_000, { quantity: 1 }).expect(404);
  });

  test('sells 50 units to 50 of 100 concurrent buyers', async () => {
    const { id } = await createProduct(shop.app, { stock: 50 });
    const responses = await Promise.all(Array.from({ length: 100 }, () => adjust(id, { quantity: -1 })));
    const statuses = responses.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(50);
    expect(statuses.filter((status) => status === 400)).toHaveLength(50);
    expect(await readProduct(shop.app, id)).toMatchObject({ stock: 0, version: 1 });
    expect(await ledgerSum(id)).toBe(0);
  });

  test('loses no concurrent change by differences, set values and reservations', async () => {
    const { id } = await createProduct(shop.app, { stock: 1000 });
    const patch = (body: object) =>
      request(shop.app).patch(`/api/products/${id}`).set('Authorization', seller()).send(body);
    const reserve = () => {
      const reservation = crypto.randomUUID();
      return shop.db.$queryRaw<object[]>`
        SELECT id FROM reserve_stock(${reservation}::uuid, ${[id]}::int[], ${[3]}::int[], 'service:test')`;
    };
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, i) => [
        adjust(id, { quantity: -2 }),
        patch({ stock: 1000 + i }),
        patch({ price: i + 1 }),
        reserve(),
      ]).flat(),
    );
    for (const response of responses) if ('status' in response) expect(response.status).toBe(200);
    const rows = await shop.db.stockMovement.findMany({ where: { productId: id }, orderBy: { id: 'asc' } });
    const product = await readProduct(shop.app, id);
    expect(await ledgerSum(id)).toBe(product.stock);
    expect(product.version).toBe(21);
    expect(rows.filter(({ reason }) => reason === 'reserved')).toHaveLength(20);
    expect(rows.filter(({ reason }) => reason === 'adjustment')).toHaveLength(20);
  });

  test('keeps a concurrent change of the stock if an edit does not set it', async () => {
    const { id } = await createProduct(shop.app, { stock: 100 });
    const put = (i: number) =>
      request(shop.app)
        .put(`/api/products/${id}`)
        .set('Authorization', seller())
        .send({ name: `Name ${i}`, price: i });
    await Promise.all(Array.from({ length: 30 }, (_, i) => [put(i), adjust(id, { quantity: -1 })]).flat());
    expect(await readProduct(shop.app, id)).toMatchObject({ stock: 70, version: 31 });
    expect(await ledgerSum(id)).toBe(70);
  });
});

describe('GET /api/products/:id/stock-movements', () => {
  test('lists the ledger, newest first, whose sum is the stock', async () => {
    const { id } = await createProduct(shop.app, { stock: 10 });
    await adjust(id, { quantity: 5, reason: ' Delivery 17 ' }).expect(200);
    await adjust(id, { quantity: -2 }, admin()).expect(200);
    const { body } = await movements(id).expect(200);
    const row = { id: expect.any(Number), reference: null, created_at: expect.stringMatching(/Z$/) };
    const own = { ...row, actor: `user:${SELLER}` };
    expect(body).toEqual({
      movements: [
        { ...row, delta: -2, reason: 'adjustment', actor: 'user:1', stock_after: 13 },
        { ...own, delta: 5, reason: 'Delivery 17', stock_after: 15 },
        { ...own, delta: 10, reason: 'initial', stock_after: 10 },
      ],
      total: 3,
      page: 1,
      pages: 1,
      pages_capped: false,
      per_page: 20,
      next_cursor: null,
    });
  });

  test('can be paged by page and by cursor', async () => {
    const { id } = await createProduct(shop.app, { stock: 10 });
    for (let i = 1; i <= 4; i += 1) await adjust(id, { quantity: i }).expect(200);
    const deltas = (response: { body: { movements: { delta: number }[] } }) =>
      response.body.movements.map(({ delta }) => delta);
    const first = await movements(id, '?per_page=2').expect(200);
    expect(deltas(first)).toEqual([4, 3]);
    expect(deltas(await movements(id, '?per_page=2&page=3').expect(200))).toEqual([10]);
    const next = await movements(id, `?per_page=2&cursor=${first.body.next_cursor}`).expect(200);
    expect(deltas(next)).toEqual([2, 1]);
    await movements(id, '?cursor=nonsense').expect(400);
    await movements(id, '?page=0').expect(400);
  });

  test('is allowed for the owner and admins', async () => {
    const { id } = await createProduct(shop.app);
    await request(shop.app).get(`/api/products/${id}/stock-movements`).expect(401);
    await movements(id, '', stranger()).expect(403);
    await movements(id, '', admin()).expect(200);
    await movements(2_000_000_000).expect(404);
  });
});
