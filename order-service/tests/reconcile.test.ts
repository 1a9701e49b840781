import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Pool } from 'pg';
import { basket, createProduct, placeOrder, stockOf } from './support/factories.ts';
import { type Shop, startShop } from './support/shop.ts';

let shop: Shop;
let sql: Pool;
beforeAll(async () => {
  shop = await startShop({ HELD_TOO_LONG: '1' });
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

async function until(condition: () => Promise<boolean>) {
  for (let i = 0; i < 200; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not happen');
}

/** An order that is PLACING with its stock held, as a crash between step 2 and 3 leaves it. */
async function leaveBehind(productId: number, deadline: Date) {
  const reservationId = randomUUID();
  const items = [{ product_id: productId, quantity: 2 }];
  await shop.client.reserve(reservationId, items, 'test');
  const order = await shop.db.order.create({
    data: { userId: 1, placement: 'PLACING', reservationId, deadline, currency: 'USD' },
  });
  return { order, reservationId };
}

const makeOld = (id: string) =>
  shop.products.db.reservation.update({ where: { id }, data: { createdAt: new Date(Date.now() - 120_000) } });

describe('the reconciler', () => {
  test('rejects an order past its deadline, and the job gives the stock back once', async () => {
    const id = await createProduct(shop, { stock: 10 });
    const { order } = await leaveBehind(id, new Date(0));
    expect(await stockOf(shop, id)).toBe(8);
    await shop.reconcile();
    await shop.reconcile();
    expect((await shop.db.order.findUniqueOrThrow({ where: { id: order.id } })).placement).toBe('REJECTED');
    const jobs = shop.startJobs();
    await until(async () => (await stockOf(shop, id)) === 10);
    await until(async () => (await jobCount()) === 0);
    await jobs.close();
  });

  test('leaves an order alone before its deadline', async () => {
    const id = await createProduct(shop);
    const { order } = await leaveBehind(id, new Date(Date.now() + 60_000));
    await shop.reconcile();
    expect((await shop.db.order.findUniqueOrThrow({ where: { id: order.id } })).placement).toBe('PLACING');
  });

  test('brings failed jobs forward and frees those of killed workers', async () => {
    await sql.query(
      "SELECT graphile_worker.add_job('release_reservation', json_build_object('reservation_id', $1::text))",
      [randomUUID()],
    );
    await sql.query(
      `UPDATE graphile_worker._private_jobs SET attempts = 9, run_at = now() + interval '5 hours'`,
    );
    await shop.reconcile();
    const waiting = await sql.query(
      `SELECT run_at < now() + interval '11 seconds' AS soon FROM graphile_worker.jobs`,
    );
    expect(waiting.rows).toEqual([{ soon: true }]);
    await sql.query(
      `UPDATE graphile_worker._private_jobs SET locked_at = now() - interval '2 minutes', locked_by = 'dead', run_at = now()`,
    );
    await shop.reconcile();
    const freed = await sql.query('SELECT locked_by FROM graphile_worker.jobs');
    expect(freed.rows).toEqual([{ locked_by: null }]);
    const jobs = shop.startJobs();
    await until(async () => (await jobCount()) === 0);
    await jobs.close();
  });
});

describe('the confirm job', () => {
  test('confirms what a placed order holds', async () => {
    const id = await createProduct(shop);
    const { body } = await placeOrder(shop, 1, basket([id, 1]));
    const { reservationId } = await shop.db.order.findUniqueOrThrow({ where: { id: body.order.id } });
    expect(await reservationStatus(reservationId)).toBe('HELD');
    const jobs = shop.startJobs();
    await until(async () => (await reservationStatus(reservationId)) === 'CONFIRMED');
    await jobs.close();
    const page = await shop.metrics.registry.metrics();
    expect(page).toMatch(/order_placements_total\{outcome="placed",service="order-service"\} \d/);
    expect(page).toMatch(/product_service_circuit_open\{service="order-service"\} 0/);
  });

  test('has nothing to do for a reservation that was released', async () => {
    await sql.query(
      "SELECT graphile_worker.add_job('confirm_reservation', json_build_object('reservation_id', $1::text))",
      [randomUUID()],
    );
    expect(await shop.metrics.registry.metrics()).toMatch(/jobs_waiting\{task="confirm_reservation"/);
    const jobs = shop.startJobs();
    await until(async () => (await jobCount()) === 0);
    await jobs.close();
  });
});

describe('anti-entropy', () => {
  test('confirms, releases or keeps what is held too long, as the orders say', async () => {
    const id = await createProduct(shop, { stock: 100 });
    const placed = await placeOrder(shop, 1, basket([id, 1]));
    const confirmed = await shop.db.order.findUniqueOrThrow({ where: { id: placed.body.order.id } });
    const kept = await leaveBehind(id, new Date(Date.now() + 60_000));
    const rejected = await leaveBehind(id, new Date(Date.now() + 60_000));
    await shop.db.order.update({ where: { id: rejected.order.id }, data: { placement: 'REJECTED' } });
    const unknown = randomUUID();
    await shop.client.reserve(unknown, [{ product_id: id, quantity: 5 }], 'test');
    const young = randomUUID();
    for (const old of [confirmed.reservationId, kept.reservationId, rejected.reservationId, unknown])
      await makeOld(old);
    await shop.client.reserve(young, [{ product_id: id, quantity: 1 }], 'test');

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

  test('forgets keys and rejected orders after days', async () => {
    const old = new Date(Date.now() - 80 * 3_600_000);
    const { order } = await leaveBehind(await createProduct(shop), new Date());
    await shop.db.order.update({ where: { id: order.id }, data: { placement: 'REJECTED', createdAt: old } });
    const key = { userId: 1, route: 'POST /api/orders', key: 'old', requestHash: 'x', orderId: order.id };
    await shop.db.idempotencyKey.create({ data: { ...key, leaseUntil: old, createdAt: old } });
    await shop.healReservations();
    expect(await shop.db.idempotencyKey.count({ where: { key: 'old' } })).toBe(0);
    expect(await shop.db.order.findUnique({ where: { id: order.id } })).toBeNull();
  });
});

describe('a request that was stopped past its deadline', () => {
  test('places nothing when it goes on', async () => {
    const id = await createProduct(shop, { stock: 10 });
    // The row decides: a trigger stands for the reconciler that comes between the reservation and the decision.
    await sql.query(`
      CREATE FUNCTION reject_first() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN NEW.placement := 'REJECTED'; RETURN NEW; END $$;
      CREATE TRIGGER reject_first BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION reject_first()`);
    const answer = await placeOrder(shop, 1, basket([id, 1]));
    await sql.query('DROP TRIGGER reject_first ON orders; DROP FUNCTION reject_first');
    expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
    expect(
      await shop.db.order.count({ where: { placement: 'PLACED', lines: { some: { productId: id } } } }),
    ).toBe(0);
  });
});
