import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createInternalCalls } from './support/internal.calls.ts';
import { createProduct } from './support/product.factory.ts';
import { stockOf } from './support/stock.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const { reserve, confirm, release } = createInternalCalls(() => shop.app);
const make = async (stock: number) => (await createProduct(shop.app, { stock })).id;

describe('confirm', () => {
  test('may be repeated, and a confirmed reservation can still be released', async () => {
    const a = await make(3);
    const id = randomUUID();
    await reserve(id, [a, 2]);
    for (let i = 0; i < 2; i++) expect((await confirm(id)).body).toEqual({ confirmed: [id] });
    expect((await release(id)).body.changed).toBe(true);
    expect(await stockOf(shop, a)).toBe(3);
  });

  test('omits reservations that were released or never made', async () => {
    const [a, held, unknown, released] = [await make(3), randomUUID(), randomUUID(), randomUUID()];
    await Promise.all([reserve(held, [a, 1]), release(released)]);
    expect((await confirm(unknown, held, released)).body).toEqual({ confirmed: [held] });
    expect((await confirm(unknown)).body).toEqual({ confirmed: [] });
  });

  test('of overlapping sets in parallel does not deadlock', async () => {
    const a = await make(100);
    const ids = Array.from({ length: 20 }, () => randomUUID());
    for (const id of ids) await reserve(id, [a, 1]);
    const responses = await Promise.all(
      Array.from({ length: 10 }, (_, i) => confirm(...(i % 2 ? ids : ids.toReversed()))),
    );
    for (const response of responses) expect(response.body.confirmed.toSorted()).toEqual(ids.toSorted());
  });

  test('returns reservations that another call confirmed while it waited', async () => {
    const a = await make(1);
    const id = randomUUID();
    await reserve(id, [a, 1]);
    const waiting = async () => {
      const [row] = await shop.db.$queryRaw<[{ count: number }]>`
        SELECT count(*)::int AS count FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return row.count > 0;
    };
    let response: ReturnType<typeof confirm> | undefined;
    await shop.db.$transaction(async (other) => {
      await other.$executeRaw`UPDATE reservations SET status = 'CONFIRMED' WHERE id = ${id}::uuid`;
      response = confirm(id);
      response.catch(() => undefined);
      while (!(await waiting())) await new Promise(setImmediate);
    });
    expect((await response)?.body.confirmed).toEqual([id]);
  });

  test('does not lock what is confirmed already', async () => {
    const a = await make(2);
    const [confirmed, held] = [randomUUID(), randomUUID()];
    for (const id of [confirmed, held]) await reserve(id, [a, 1]);
    await confirm(confirmed);
    const other = await shop.connect();
    try {
      await other.query(`BEGIN; SELECT FROM reservations WHERE id = '${confirmed}' FOR UPDATE`);
      expect((await confirm(confirmed)).body).toEqual({ confirmed: [confirmed] });
      expect((await confirm(confirmed, held)).body.confirmed.toSorted()).toEqual(
        [confirmed, held].toSorted(),
      );
    } finally {
      await other.end();
    }
  });
});
