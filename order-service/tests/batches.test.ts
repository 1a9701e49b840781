import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Database, openDatabase } from '@shop/service-kit/postgres/open-database';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { TEST_TIME_LIMIT_FACTOR } from '@shop/service-kit/testing/test-database';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import { Pool } from 'pg';
import request from 'supertest';
import { hashOf } from '../src/placement/order.request.ts';
import { createPlacementRepository } from '../src/placement/placement.repository.ts';
import { basket, createProduct, placeOrder, stockOf, whileLocked } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
let sql: Pool;
let database: Database;
const logger = createLogger('order-service', 'silent');
beforeAll(async () => {
  shop = await startTestShop();
  sql = new Pool({ connectionString: shop.databaseUrl });
  database = openDatabase(shop.databaseUrl, 4, logger, { timeLimitFactor: TEST_TIME_LIMIT_FACTOR });
});
afterAll(async () => {
  await database.close();
  await sql.end();
  await shop.close();
});

const repository = () => createPlacementRepository({ query: database.query, deadline: 30, lease: 5 });
const statusesOf = (responses: { status: number }[]) => responses.map(({ status }) => status);
/** A minimal stored response that the API document allows. */
function createdBody(id: number, userId: number): string {
  const now = new Date().toISOString();
  const empty = { products: [], total_amount: 1, currency: 'USD', shipping_address: null, note: null };
  const state = { status: 'pending', allowed_transitions: [], created_at: now, updated_at: now };
  return JSON.stringify({
    message: 'Order created successfully',
    order: { id, user_id: userId, ...empty, ...state },
  });
}

const placed = (userIds: number[]) =>
  shop.db.order.count({ where: { userId: { in: userIds }, placement: 'PLACED' } });

describe('orders in batches', () => {
  test('300 buyers for 100 units: exactly 100 get one, in fewer batches, each with one confirm job', async () => {
    const id = await createProduct(shop, { stock: 100 });
    const buyers = Array.from({ length: 300 }, (_, index) => placeOrder(shop, 1000 + index, basket([id, 1])));
    const responses = await Promise.all(buyers);
    const outcomes = responses.map(({ status, body }) => (status === 201 ? '201' : String(body.code)));
    const countOf = (outcome: string) => outcomes.filter((each) => each === outcome).length;
    expect([countOf('201'), countOf('insufficient_stock')]).toEqual([100, 200]);
    expect(await stockOf(shop, id)).toBe(0);

    const page = await shop.metrics.registry.metrics();
    const sumOf = (step: string, what: string) =>
      Number(new RegExp(`placement_batch_size_${what}{.*step="${step}".*} (\\d+)`).exec(page)?.[1]);
    for (const step of ['intent', 'reserve', 'place'])
      expect(sumOf(step, 'count')).toBeLessThan(sumOf(step, 'sum'));
    const jobs = await sql.query(
      `SELECT FROM graphile_worker.jobs WHERE task_identifier = 'confirm_reservations'`,
    );
    expect(jobs.rowCount).toBe(sumOf('place', 'count'));

    const running = shop.startJobs();
    const held = () => shop.products.db.reservation.count({ where: { status: 'HELD' } });
    for (let i = 0; (await held()) > 0 && i < 400; i++) await sleep(25);
    await running.close();
    expect(await held()).toBe(0);
  });

  test('a locked product delays its own buyers only, and they are served once it is free', async () => {
    const [locked, free] = [
      await createProduct(shop, { stock: 50 }),
      await createProduct(shop, { stock: 50 }),
    ];
    let own: Promise<{ status: number; body: { code?: string } }[]> = Promise.resolve([]);
    let isOver = false;
    const others = await whileLocked(shop, locked, async () => {
      own = Promise.all(
        Array.from({ length: 5 }, (_, i) =>
          placeOrder(shop, 2000 + i, basket([locked, 1], [free, 1])).then(),
        ),
      ).finally(() => {
        isOver = true;
      });
      const responses = await Promise.all(
        Array.from({ length: 20 }, (_, i) => placeOrder(shop, 2100 + i, basket([free, 1]))),
      );
      expect(isOver).toBe(false);
      return responses;
    });
    expect(statusesOf(others)).toEqual(Array(20).fill(201));
    expect((await own).map(({ status, body }) => body.code ?? status)).toEqual(Array(5).fill(201));
    expect([await stockOf(shop, locked), await stockOf(shop, free)]).toEqual([45, 25]);
    expect(shop.client.isDown()).toBe(false);
  });

  test('an order that the database refuses fails alone', async () => {
    const id = await createProduct(shop, { stock: 50 });
    await sql.query(`
      CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF NEW.note = 'poison' THEN RAISE EXCEPTION 'poison' USING ERRCODE = '22000'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER refuse_poison BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse_poison()`);
    const responses = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        placeOrder(shop, 3000 + i, { ...basket([id, 1]), note: i === 6 ? 'poison' : 'fine' }),
      ),
    );
    await sql.query('DROP TRIGGER refuse_poison ON orders');
    expect(statusesOf(responses)).toEqual(Array.from({ length: 12 }, (_, i) => (i === 6 ? 500 : 201)));
    expect(await stockOf(shop, id)).toBe(39);
  });

  test('several requests with the same key in one batch make one order', async () => {
    const id = await createProduct(shop, { stock: 50 });
    const send = (quantity: number) =>
      placeOrder(shop, 3500, basket([id, quantity]), { 'Idempotency-Key': 'same' });
    const responses = await Promise.all([
      placeOrder(shop, 3501, basket([id, 1])),
      ...[1, 1, 1, 2, 1].map(send),
    ]);
    expect(await placed([3500])).toBe(1);
    for (const { status, body } of responses.slice(1))
      if (status !== 201) expect([409, 422]).toContain(body.status);
  });
});

test('quotes share a call, and each request gets its own', async () => {
  const id = await createProduct(shop, { stock: 7 });
  const quantities = Array.from({ length: 30 }, (_, index) => 1 + (index % 9));
  const responses = await Promise.all(
    quantities.map((quantity, index) =>
      request(shop.url)
        .post('/api/orders/quote')
        .set('Authorization', bearer(6000 + index))
        .send(basket([id, quantity])),
    ),
  );
  expect(responses.map(({ body }) => body.products?.[0].quantity ?? body.details[0].requested)).toEqual(
    quantities,
  );
  expect(statusesOf(responses)).toEqual(quantities.map((quantity) => (quantity > 7 ? 400 : 200)));
  const page = await shop.metrics.registry.metrics();
  const total = (what: string) =>
    Number(new RegExp(`placement_batch_size_${what}{.*step="quote".*} (\\d+)`).exec(page)?.[1]);
  expect(total('sum')).toBe(30);
  expect(total('count')).toBeLessThan(30);
});

test('retries complete the keyed orders of a process that crashed in the middle of a batch', async () => {
  const id = await createProduct(shop, { stock: 50 });
  const request = basket([id, 2]);
  const keyed = Array.from({ length: 6 }, (_, i) => ({ userId: 5000 + i, key: `crashed-${i}` }));
  const intents = await repository().insertIntents(
    keyed.map((by) => ({
      ...by,
      request,
      requestHash: hashOf(request),
      reservationId: randomUUID(),
      currency: 'USD',
    })),
  );
  // Four of them were reserved, and two of these placed, before the crash.
  const items = request.products;
  const reservations = intents
    .slice(0, 4)
    .map((intent) => ({ orderId: intent?.id ?? 0, reservationId: intent?.reservationId ?? '', items }));
  const made = await shop.client.reserve(reservations, 'test', false);
  await repository().place(
    intents.slice(0, 2).flatMap((intent, i) => {
      const by = keyed[i];
      if (intent === null || by === undefined) return [];
      const response = { status: 201, body: createdBody(intent.id, by.userId), orderId: intent.id };
      return [{ intent, by, lines: made[i]?.lines ?? [], total: 100, response }];
    }),
  );
  await sql.query('UPDATE idempotency_keys SET lease_until = now()');
  const responses = await Promise.all(
    keyed.flatMap(({ userId, key }) =>
      [1, 2].map(() => placeOrder(shop, userId, request, { 'Idempotency-Key': key })),
    ),
  );
  const created = responses.filter(({ status }) => status === 201);
  expect(new Set(created.map(({ body }) => body.order.id))).toEqual(
    new Set(intents.map((intent) => intent?.id)),
  );
  expect(responses.filter(({ status }) => status !== 201 && status !== 409)).toEqual([]);
  expect(await stockOf(shop, id)).toBe(38);
});
