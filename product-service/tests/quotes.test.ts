import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createInternalCalls, items } from './support/internal.calls.ts';
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

describe('POST /internal/quotes', () => {
  test('returns prices and the unavailable lines, and reserves nothing', async () => {
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
    expect(await stockOf(shop, a)).toBe(3);
  });

  test('accepts many baskets, and returns one quote for each in the same order', async () => {
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

describe('returned stock', () => {
  test('may exceed 1,000,000,000, stops at the limit of the column, and matches the ledger', async () => {
    const a = await make(1_000_000_000);
    const ids = [randomUUID(), randomUUID()];
    for (const id of ids) await reserve(id, [a, 1_000_000]);
    const raise = async (stock: number) => {
      const delta = stock - (await stockOf(shop, a));
      const data = { productId: a, delta, reason: 'test', actor: 'test', stockAfter: stock };
      await shop.db.product.update({ where: { id: a }, data: { stock } });
      await shop.db.stockMovement.create({ data });
    };
    await raise(1_000_000_000);
    expect((await release(ids[0] ?? '')).body.changed).toBe(true);
    expect(await stockOf(shop, a)).toBe(1_001_000_000);
    await raise(2_147_483_000);
    expect((await release(ids[1] ?? '')).body).toMatchObject({ status: 'RELEASED', changed: true });
    expect(await stockOf(shop, a)).toBe(2_147_483_647);
    const { _sum: sum } = await shop.db.stockMovement.aggregate({
      _sum: { delta: true },
      where: { productId: a },
    });
    expect(sum.delta).toBe(2_147_483_647);
  });
});
