import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { createCompareRepository } from '../src/placement/compare.repository.ts';
import { createCompareUseCases } from '../src/placement/compare.use-cases.ts';
import { basket, createProduct, placeOrder, stockOf } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
let products: Pool;
const lines: string[] = [];
beforeAll(async () => {
  shop = await startTestShop();
  products = new Pool({ connectionString: shop.products.databaseUrl });
  // The database may be dropped before the last connection is closed.
  products.on('error', () => undefined);
});
afterAll(async () => {
  await products.end();
  await shop.close();
});

const HOUR = 3_600_000;
const hourAgo = () => new Date(Date.now() - HOUR);
function compare(limits = {}, since = hourAgo()) {
  const logger = createLogger('test', 'silent');
  logger.error = (object: object) => void lines.push(JSON.stringify(object));
  const repository = createCompareRepository(shop.query);
  return createCompareUseCases({ repository, products: shop.client, logger }).compareSince(since, limits);
}
const agreed = { released: [], reserved: [], short: [], cancelledLater: [] };

async function buy(productId: number, quantity: number, confirms = true) {
  const { body } = await placeOrder(shop, 1, basket([productId, quantity]));
  const id: number = body.order.id;
  const { reservationId } = await shop.db.order.findUniqueOrThrow({ where: { id } });
  if (confirms) await shop.client.confirm({ reservationIds: [reservationId], requestId: 'test' });
  return { id, reservationId };
}

/** As a product database from before the order has it: no reservation, no ledger row, and the stock of that time. */
async function forgetReservation(reservationId: string, productId: number, stock: number) {
  await products.query('DELETE FROM reservations WHERE id = $1', [reservationId]);
  await products.query('DELETE FROM stock_movements WHERE reference = $1', [reservationId]);
  await products.query('UPDATE products SET stock = $2 WHERE id = $1', [productId, stock]);
}

/** As an order database from before the order has it. */
const forgetOrder = (id: number) => shop.db.order.delete({ where: { id } });

const ledgerOf = async (id: number) =>
  Number(
    (await products.query('SELECT sum(delta) FROM stock_movements WHERE product_id = $1', [id])).rows[0].sum,
  );

describe('a comparison of both databases', () => {
  test('changes nothing where they agree, and logs nothing', async () => {
    const product = await createProduct(shop, { stock: 10 });
    await buy(product, 3);
    lines.length = 0;
    expect(await compare()).toMatchObject(agreed);
    expect([await stockOf(shop, product), lines]).toEqual([7, []]);
  });

  test('gives back what is confirmed for an order that the order database has lost', async () => {
    const product = await createProduct(shop, { stock: 10 });
    const kept = await buy(product, 1);
    const lost = await buy(product, 4);
    await forgetOrder(lost.id);
    expect(await compare({ dryRun: true })).toMatchObject({ ...agreed, released: [lost.reservationId] });
    expect(await stockOf(shop, product)).toBe(5);
    lines.length = 0;
    expect(await compare()).toMatchObject({ ...agreed, released: [lost.reservationId] });
    expect([await stockOf(shop, product), await ledgerOf(product)]).toEqual([9, 9]);
    expect(lines.join()).toContain(lost.reservationId);
    expect(await compare()).toMatchObject(agreed);
    expect(
      (await shop.products.db.reservation.findUniqueOrThrow({ where: { id: kept.reservationId } })).status,
    ).toBe('CONFIRMED');
  });

  test('takes the units of an order whose reservation the product database has lost', async () => {
    const product = await createProduct(shop, { stock: 10 });
    const sold = await buy(product, 4);
    await forgetReservation(sold.reservationId, product, 10);
    expect(await compare({ dryRun: true })).toMatchObject({ ...agreed, reserved: [sold.id] });
    expect(await stockOf(shop, product)).toBe(10);
    expect(await compare()).toMatchObject({ ...agreed, reserved: [sold.id] });
    expect([await stockOf(shop, product), await ledgerOf(product)]).toEqual([6, 6]);
    expect(await compare()).toMatchObject(agreed);
  });

  test('reports an order whose units are sold to others, and leaves it as it is', async () => {
    const product = await createProduct(shop, { stock: 4 });
    const sold = await buy(product, 4);
    await forgetReservation(sold.reservationId, product, 3);
    expect(await compare()).toMatchObject({ ...agreed, short: [sold.id] });
    expect(await stockOf(shop, product)).toBe(3);
    expect((await shop.db.order.findUniqueOrThrow({ where: { id: sold.id } })).status).toBe('pending');
    await shop.db.order.delete({ where: { id: sold.id } });
  });

  test('reports an order that stands again although its stock was given back', async () => {
    const product = await createProduct(shop, { stock: 4 });
    const cancelled = await buy(product, 1);
    await shop.client.release({ reservationId: cancelled.reservationId, requestId: 'test' });
    expect(await compare()).toMatchObject({ ...agreed, cancelledLater: [cancelled.id] });
    await forgetOrder(cancelled.id);
  });

  test('changes nothing in a dry run, and reports what a repair would find', async () => {
    const product = await createProduct(shop, { stock: 10 });
    const statusOf = async (id: string) =>
      (await shop.products.db.reservation.findUniqueOrThrow({ where: { id } })).status;
    const held = await buy(product, 1, false);
    const [lost, short, cancelled] = [await buy(product, 2), await buy(product, 3), await buy(product, 1)];
    await forgetReservation(lost.reservationId, product, 5);
    await forgetReservation(short.reservationId, product, 5);
    await shop.client.release({ reservationId: cancelled.reservationId, requestId: 'test' });
    await products.query('UPDATE products SET stock = 2 WHERE id = $1', [product]);
    const expected = { ...agreed, reserved: [lost.id], short: [short.id], cancelledLater: [cancelled.id] };
    const before = await products.query('SELECT * FROM reservations ORDER BY id');
    expect(await compare({ dryRun: true })).toMatchObject(expected);
    expect((await products.query('SELECT * FROM reservations ORDER BY id')).rows).toEqual(before.rows);
    expect([await statusOf(held.reservationId), await stockOf(shop, product)]).toEqual(['HELD', 2]);
    expect(await compare()).toMatchObject(expected);
    expect([await statusOf(held.reservationId), await stockOf(shop, product)]).toEqual(['CONFIRMED', 0]);
    expect(await compare({ dryRun: true })).toMatchObject({ ...expected, reserved: [] });
    for (const { id } of [short, cancelled]) await forgetOrder(id);
  });

  test('looks no further back than it is asked to, and from the beginning if it is', async () => {
    const product = await createProduct(shop, { stock: 10 });
    const old = uuidv7({ msecs: Date.now() - 2 * HOUR });
    await shop.client.reserve(
      [{ orderId: 1, reservationId: old, items: [{ product_id: product, quantity: 2 }] }],
      'test',
      false,
    );
    const order = await buy(product, 1);
    await shop.db.order.update({
      where: { id: order.id },
      data: { createdAt: new Date(Date.now() - 2 * HOUR) },
    });
    await forgetReservation(order.reservationId, product, 8);
    expect(await compare()).toMatchObject(agreed);
    expect(await compare({}, new Date(0))).toMatchObject({
      ...agreed,
      released: [old],
      reserved: [order.id],
    });
    expect(await stockOf(shop, product)).toBe(9);
  });

  test('goes through all pages, and ends early when it is aborted', async () => {
    const product = await createProduct(shop, { stock: 1000 });
    const ids = Array.from({ length: 501 }, () => uuidv7());
    await shop.products.db.reservation.createMany({
      data: ids.map((id) => ({ id, status: 'CONFIRMED', items: [], lines: [] })),
    });
    await shop.db.order.createMany({
      data: ids.map((reservationId) => ({
        ...{ userId: 1, placement: 'PLACED' as const, status: 'pending', totalMinor: 1n, currency: 'USD' },
        ...{ reservationId, deadline: new Date() },
      })),
    });
    const behind = uuidv7();
    await shop.client.reserve(
      [{ orderId: 1, reservationId: behind, items: [{ product_id: product, quantity: 5 }] }],
      'test',
      false,
    );
    expect(await compare({ signal: AbortSignal.abort() })).toMatchObject({
      ...agreed,
      orders: 0,
      reservations: 0,
    });
    const found = await compare();
    expect(found).toMatchObject({ ...agreed, released: [behind] });
    expect(found.orders).toBeGreaterThanOrEqual(501);
  });
});
