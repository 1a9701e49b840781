import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Stack, startStack } from '../../../e2e/support/stack.ts';
import { formatMoney, ShopError } from '../src/index.ts';
import { failureOf, signedIn } from './support/clients.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

describe('products', () => {
  test('are created, changed under a condition, and walked by cursor', async () => {
    const { shop, user } = await signedIn(stack);
    const lamp = await shop.products.create({ name: 'Lamp', price: 9.99, stock: 5, category: 'Walk' });
    expect(lamp).toMatchObject({ owner_id: user.id, price: 9.99 });
    const read = await shop.products.get(lamp.id);
    expect(await shop.products.get(lamp.id, { ifNoneMatch: read })).toBe(read);
    const changed = await shop.products.patch(lamp.id, { price: 8 }, { ifMatch: read });
    await shop.products.adjustStock(lamp.id, { quantity: 1 }, { ifMatch: changed });
    const stale = await failureOf(shop.products.patch(lamp.id, { price: 7 }, { ifMatch: read }));
    expect(stale).toMatchObject({ name: 'ShopError', code: 'version_mismatch', status: 412 });
    await expect(shop.products.patch(lamp.id, { price: 7 }, { ifMatch: { ...read } })).rejects.toThrow(
      TypeError,
    );
    for (let n = 0; n < 4; n++) await shop.products.create({ name: `Lamp ${n}`, price: n, category: 'Walk' });
    const found: string[] = [];
    for await (const { name } of shop.products.all({ category: 'Walk', per_page: 2, sort: 'name' }))
      found.push(name);
    expect(found).toEqual(['Lamp', 'Lamp 0', 'Lamp 1', 'Lamp 2', 'Lamp 3']);
  });
});

describe('orders', () => {
  test('are placed, listed and cancelled; a failure narrows by its code', async () => {
    const { shop } = await signedIn(stack);
    const { id } = await shop.products.create({ name: 'Lamp', price: 9.99, stock: 5 });
    const basket = { products: [{ product_id: id, quantity: 2 }] };
    const order = await shop.orders.place(basket, { idempotencyKey: 'basket-1' });
    expect(await shop.orders.place(basket, { idempotencyKey: 'basket-1' })).toEqual(order);
    expect(formatMoney(order.total_amount, order.currency, 'en')).toBe('$19.98');
    expect((await shop.orders.cancel(order.id)).status).toBe('cancelled');
    const error = await failureOf(shop.orders.place({ products: [{ product_id: id, quantity: 6 }] }));
    if (!(error instanceof ShopError) || error.code !== 'insufficient_stock') throw error;
    expect(error.details[0]?.available).toBe(5);
    const changed = await failureOf(shop.orders.place({ ...basket, expected_total: 1 }));
    if (!(changed instanceof ShopError) || changed.code !== 'price_changed') throw changed;
    expect(changed.problem.quote.total_amount).toBe(19.98);
  });
});
