import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@shop/service-kit/testing/until';
import { Pool } from 'pg';
import type { Item } from '../src/clients/product.requests.ts';
import { basket, createProduct, placeOrder, stockOf } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
let sql: Pool;
beforeAll(async () => {
  shop = await startTestShop({ HELD_TOO_LONG: '60' });
  sql = new Pool({ connectionString: shop.databaseUrl });
});
afterAll(async () => {
  await sql.end();
  await shop.close();
});

const jobCount = async () =>
  Number((await sql.query('SELECT count(*) FROM graphile_worker.jobs')).rows[0].count);
const reservationStatus = async (id: string) =>
  (await shop.products.db.reservation.findUnique({ where: { id } }))?.status;

const reserve = (reservationId: string, items: Item[]) =>
  shop.client.reserve([{ orderId: 1, reservationId, items }], 'test', false);

/** An order that is PLACING with its stock held, as after a crash between steps 2 and 3. */
async function leaveBehind(productId: number, deadline: Date) {
  const reservationId = randomUUID();
  const items = [{ product_id: productId, quantity: 2 }];
  await reserve(reservationId, items);
  const order = await shop.db.order.create({
    data: { userId: 1, placement: 'PLACING', reservationId, deadline, currency: 'USD' },
  });
  return { order, reservationId };
}

const makeOld = (id: string) =>
  shop.products.db.reservation.update({ where: { id }, data: { createdAt: new Date(Date.now() - 120_000) } });

describe('the reconciler', () => {
  test('rejects an order past its deadline, and the job returns the stock once', async () => {
    const id = await createProduct(shop, { stock: 10 });
    const { order } = await leaveBehind(id, new Date(0));
    expect(await stockOf(shop, id)).toBe(8);
    await shop.reconcile();
    await shop.reconcile();
    expect((await shop.db.order.findUniqueOrThrow({ where: { id: order.id } })).placement).toBe('REJECTED');
    const jobs = shop.startJobs();
    await until('the stock is back', async () => (await stockOf(shop, id)) === 10);
    await until('the jobs are done', async () => (await jobCount()) === 0);
    await jobs.close();
  });

  test('leaves an order alone before its deadline', async () => {
    const id = await createProduct(shop);
    const { order } = await leaveBehind(id, new Date(Date.now() + 60_000));
    await shop.reconcile();
    expect((await shop.db.order.findUniqueOrThrow({ where: { id: order.id } })).placement).toBe('PLACING');
  });
});

describe('the confirm job', () => {
  test('confirms the reservation of a placed order', async () => {
    const id = await createProduct(shop);
    const { body } = await placeOrder(shop, 1, basket([id, 1]));
    const { reservationId } = await shop.db.order.findUniqueOrThrow({ where: { id: body.order.id } });
    expect(await reservationStatus(reservationId)).toBe('HELD');
    const jobs = shop.startJobs();
    await until('it is confirmed', async () => (await reservationStatus(reservationId)) === 'CONFIRMED');
    await jobs.close();
    const page = await shop.metrics.registry.metrics();
    expect(page).toMatch(/order_placements_total\{outcome="placed",service="order-service"\} \d/);
    expect(page).toMatch(/product_service_circuit_open\{service="order-service"\} 0/);
  });

  test('does nothing for a released reservation', async () => {
    await sql.query("SELECT jobs.add('confirm_reservation', json_build_object('reservation_id', $1::text))", [
      randomUUID(),
    ]);
    const jobs = shop.startJobs();
    await until('the jobs are done', async () => (await jobCount()) === 0);
    await jobs.close();
  });
});

describe('anti-entropy', () => {
  test('confirms, releases or keeps reservations that are held too long, according to their orders', async () => {
    const id = await createProduct(shop, { stock: 100 });
    const placed = await placeOrder(shop, 1, basket([id, 1]));
    const confirmed = await shop.db.order.findUniqueOrThrow({ where: { id: placed.body.order.id } });
    const kept = await leaveBehind(id, new Date(Date.now() + 60_000));
    const rejected = await leaveBehind(id, new Date(Date.now() + 60_000));
    await shop.db.order.update({ where: { id: rejected.order.id }, data: { placement: 'REJECTED' } });
    const unknown = randomUUID();
    await reserve(unknown, [{ product_id: id, quantity: 5 }]);
    const young = randomUUID();
    for (const old of [confirmed.reservationId, kept.reservationId, rejected.reservationId, unknown])
      await makeOld(old);
    await reserve(young, [{ product_id: id, quantity: 1 }]);

    await shop.healReservations();

    const ids = [confirmed.reservationId, kept.reservationId, rejected.reservationId, unknown, young];
    expect(await Promise.all(ids.map(reservationStatus))).toEqual([
      'CONFIRMED',
      'HELD',
      'RELEASED',
      'RELEASED',
      'HELD',
    ]);
    expect(await stockOf(shop, id)).toBe(100 - 1 - 2 - 1);
  });

  test('continues with the others if a reservation can be neither released nor confirmed', async () => {
    const id = await createProduct(shop, { stock: 10 });
    const held = [];
    for (let i = 0; i < 3; i += 1) {
      const reservationId = randomUUID();
      await reserve(reservationId, [{ product_id: id, quantity: 1 }]);
      await makeOld(reservationId);
      held.push(reservationId);
    }
    const standing = [];
    for (let i = 0; i < 2; i += 1) {
      const { body } = await placeOrder(shop, 1, basket([id, 1]));
      const order = await shop.db.order.findUniqueOrThrow({ where: { id: body.order.id } });
      await makeOld(order.reservationId);
      standing.push(order.reservationId);
    }
    const products = new Pool({ connectionString: shop.products.databaseUrl });
    await products.query(`
      CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF NEW.id::text = ANY (TG_ARGV) THEN RAISE EXCEPTION ''trouble''; END IF; RETURN NEW; END';
      CREATE TRIGGER trouble BEFORE UPDATE ON reservations
        FOR EACH ROW EXECUTE FUNCTION refuse_change('${held[0]}', '${standing[0]}')`);
    await shop.healReservations();
    expect(await Promise.all(held.map(reservationStatus))).toEqual(['HELD', 'RELEASED', 'RELEASED']);
    expect(await Promise.all(standing.map(reservationStatus))).toEqual(['HELD', 'CONFIRMED']);
    expect(await shop.metrics.registry.metrics()).toMatch(/reservations_unhealed_total\{.*\} 2\n/);
    await products.query('DROP TRIGGER trouble ON reservations');
    await products.end();
    await shop.healReservations();
    expect(await reservationStatus(String(held[0]))).toBe('RELEASED');
    expect(await reservationStatus(String(standing[0]))).toBe('CONFIRMED');
  });
});

test('reaches reservations behind 500 others that it leaves unchanged', async () => {
  const deadline = new Date(Date.now() + 60_000);
  const ids = Array.from({ length: 500 }, () => randomUUID());
  await shop.db.order.createMany({
    data: ids.map((reservationId) => ({
      ...{ userId: 1, placement: 'PLACING' as const, reservationId, deadline, currency: 'USD' },
    })),
  });
  const createdAt = new Date(Date.now() - 300_000);
  await shop.products.db.reservation.createMany({
    data: ids.map((id) => ({ id, status: 'HELD', items: [], lines: [], createdAt })),
  });
  const behind = randomUUID();
  await reserve(behind, [{ product_id: await createProduct(shop, { stock: 10 }), quantity: 1 }]);
  await makeOld(behind);
  await shop.healReservations();
  expect(await reservationStatus(behind)).toBe('RELEASED');
  await shop.products.db.reservation.deleteMany({ where: { id: { in: ids } } });
});

describe('the cleanup', () => {
  const aborted = AbortSignal.abort();
  const living = new AbortController().signal;
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
  const keyOf = (orderId: number, createdAt: Date, key: string) => ({
    ...{ userId: 1, route: 'POST /api/orders', key, requestHash: 'x', orderId },
    ...{ leaseUntil: createdAt, createdAt },
  });

  test('deletes expired keys and orders rejected days ago, and no others', async () => {
    const id = await createProduct(shop, { stock: 100 });
    const orders = await Promise.all(Array.from({ length: 3 }, () => leaveBehind(id, new Date())));
    const [old, young, undecided] = orders.map(({ order }) => order.id) as [number, number, number];
    const reject = (order: number, createdAt: Date) =>
      shop.db.order.update({ where: { id: order }, data: { placement: 'REJECTED', createdAt } });
    await reject(old, daysAgo(3.1));
    await reject(young, daysAgo(2.9));
    await shop.db.order.update({ where: { id: undecided }, data: { createdAt: daysAgo(90) } });
    await shop.db.idempotencyKey.createMany({
      data: [keyOf(old, daysAgo(2.1), 'expired'), keyOf(old, daysAgo(1.9), 'good')],
    });
    await shop.cleanUp(living);
    const kept = await shop.db.order.findMany({ where: { id: { in: [old, young, undecided] } } });
    expect(kept.map((order) => order.id).sort()).toEqual([young, undecided].sort());
    const keys = await shop.db.idempotencyKey.findMany({ where: { orderId: old } });
    expect(keys.map(({ key }) => key)).toEqual(['good']);
  });

  test('keeps an old placed order with its lines and history when it deletes the key', async () => {
    const id = await createProduct(shop);
    const placed = await placeOrder(shop, 1, basket([id, 1]), { 'Idempotency-Key': 'long-ago' });
    const order = placed.body.order.id;
    const created = { createdAt: daysAgo(400) };
    await shop.db.order.update({ where: { id: order }, data: created });
    await shop.db.idempotencyKey.updateMany({ where: { key: 'long-ago' }, data: created });
    await shop.cleanUp(living);
    expect(await shop.db.idempotencyKey.count({ where: { key: 'long-ago' } })).toBe(0);
    const include = { lines: true, history: true };
    const kept = await shop.db.order.findUniqueOrThrow({ where: { id: order }, include });
    expect([kept.placement, kept.lines.length, kept.history.length]).toEqual(['PLACED', 1, 1]);
  });

  test('deletes 10,000 expired keys in one run, and stops between two batches on request', async () => {
    const addKeys = `
      INSERT INTO idempotency_keys (user_id, route, key, request_hash, order_id, lease_until, created_at)
      SELECT 7, 'POST /api/orders', 'k' || n, 'x', 0, now(), now() - interval '3 days' FROM generate_series(1, 10000) AS n`;
    const keys = () => shop.db.idempotencyKey.count({ where: { userId: 7 } });
    await sql.query(addKeys);
    await shop.cleanUp(aborted);
    expect(await keys()).toBe(10_000);
    await shop.cleanUp(living);
    expect(await keys()).toBe(0);
  });
});

describe('a request that was paused past its deadline', () => {
  test('places nothing when it continues', async () => {
    const id = await createProduct(shop, { stock: 10 });
    // The row decides: a trigger acts as the reconciler that runs between reservation and decision.
    await sql.query(`
      CREATE FUNCTION reject_first() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN NEW.placement := 'REJECTED'; RETURN NEW; END $$;
      CREATE TRIGGER reject_first BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION reject_first()`);
    const response = await placeOrder(shop, 1, basket([id, 1]));
    await sql.query('DROP TRIGGER reject_first ON orders; DROP FUNCTION reject_first');
    expect([response.status, response.body.code]).toEqual([503, 'unavailable']);
    expect(
      await shop.db.order.count({ where: { placement: 'PLACED', lines: { some: { productId: id } } } }),
    ).toBe(0);
  });
});
