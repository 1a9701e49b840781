import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Query } from '@shop/service-kit/postgres/query';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import request from 'supertest';
import { createOrderRepository } from '../src/orders/order.repository.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

const ORDERS = 12_000;
/** The first day has three orders in each of its minutes, all with the time of the minute. */
const FIRST_DAY = 3 * 24 * 60;

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
  await shop.db.$executeRaw`
    INSERT INTO orders (user_id, placement, status, reservation_id, deadline, total_minor, currency, created_at)
    SELECT 1 + n % 50, 'PLACED', CASE WHEN n % 10 = 0 THEN 'pending' ELSE 'delivered' END, gen_random_uuid(), now(), 100,
           'EUR', TIMESTAMPTZ '2026-01-01' + n / 3 * INTERVAL '1 minute'
      FROM generate_series(0, ${ORDERS}::int - 1) AS n`;
  await shop.db.$executeRaw`VACUUM ANALYZE orders`;
});
afterAll(() => shop.close());

const list = (query: string) =>
  request(shop.url).get(`/api/orders?scope=all&${query}`).set('Authorization', bearer(999, 'admin'));
const idsOf = ({ orders }: { orders: { id: number }[] }) => orders.map(({ id }) => id);

/** Every page by cursor. */
async function walked(query: string): Promise<number[]> {
  const ids: number[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const at: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const { body } = await list(`${query}&per_page=100${at}`).expect(200);
    ids.push(...idsOf(body));
    cursor = body.next_cursor;
  }
  return ids;
}

describe("everybody's orders", () => {
  test.each(['', 'from=2026-01-01'])('are counted up to the last row of their pages: ?%s', async (query) => {
    const { body } = await list(`per_page=100&${query}`).expect(200);
    expect(body).toMatchObject({ total: 10_001, pages: 100, pages_capped: true });
  });

  test('of a day are counted exactly', async () => {
    const { body } = await list('from=2026-01-01&to=2026-01-01').expect(200);
    expect(body).toMatchObject({ total: FIRST_DAY, pages: 432, pages_capped: false });
  });

  test.each([
    ['to=2026-01-01', Array.from({ length: FIRST_DAY }, (_, n) => FIRST_DAY - n)],
    [
      'to=2026-01-01&status=pending',
      Array.from({ length: FIRST_DAY / 10 }, (_, n) => FIRST_DAY - 9 - n * 10),
    ],
    ['from=2026-01-01T00:01:00Z&to=2026-01-01T00:02:00Z', [9, 8, 7, 6, 5, 4]],
    ['from=2030-01-01', []],
  ])('are paged to the end by cursor, newest first: ?%s', async (query, ids) => {
    expect(await walked(query)).toEqual(ids);
  });

  test('between two times are in the order of time, not of ids', async () => {
    const at = new Date('2027-01-01T00:00:00Z');
    await shop.db.order.update({ where: { id: 1 }, data: { createdAt: at } });
    expect(idsOf((await list('from=2026-01-01&per_page=2').expect(200)).body)).toEqual([1, ORDERS]);
    expect(await walked('from=2026-12-01')).toEqual([1]);
    await shop.db.order.update({ where: { id: 1 }, data: { createdAt: new Date('2026-01-01T00:00:00Z') } });
  });

  test('by page and by cursor are the same', async () => {
    const first = (await list('to=2026-01-01&per_page=10').expect(200)).body;
    const second = (await list('to=2026-01-01&per_page=10&page=2').expect(200)).body;
    const next = (await list(`to=2026-01-01&per_page=10&cursor=${first.next_cursor}`).expect(200)).body;
    expect(next.orders).toEqual(second.orders);
  });

  test('have cursors that no other list takes', async () => {
    const cursorOf = async (query: string) => (await list(query).expect(200)).body.next_cursor;
    const [byTime, byId] = [await cursorOf('from=2026-01-01'), await cursorOf('')];
    await list(`cursor=${byTime}`).expect(400);
    await list(`user_id=1&from=2026-01-01&cursor=${byTime}`).expect(400);
    await list(`from=2026-01-01&cursor=${byId}`).expect(400);
  });

  test.each<[string, [string, number], number]>([
    ['the largest id', ['2026-01-02T00:00:00.000Z', 2 ** 31 - 1], 200],
    ['an id beyond int32', ['2026-01-02T00:00:00.000Z', 2 ** 31], 400],
    ['an id of 53 bits', ['2026-01-02T00:00:00.000Z', 2 ** 53 - 1], 400],
    ['300 digits of a second', [`2026-01-02T00:00:00.${'0'.repeat(300)}Z`, 1], 400],
  ])('respond to a forged cursor with %s', async (_what, key, status) => {
    const cursor = Buffer.from(JSON.stringify(key)).toString('base64url');
    await list(`from=2026-01-01&cursor=${cursor}`).expect(status);
  });

  test.each<{ status?: 'delivered' }>([{}, { status: 'delivered' }])(
    'of an old day are read along orders_by_time, and no newer one is read: %j',
    async (filter) => {
      const statements: Parameters<Query>[] = [];
      const watched: Query = (...statement) => {
        statements.push(statement);
        return shop.query(...statement);
      };
      const orders = createOrderRepository(watched);
      const to = new Date('2026-01-02T00:00:00Z');
      const window = { limit: 20, offset: 0, page: 1, after: undefined };
      expect(await orders.listByTime({ ...filter, to }, window)).toHaveLength(21);
      const [strings = [], ...values] = statements[0] ?? [];
      const [plan] = await shop.query<
        [{ 'QUERY PLAN': unknown }]
      >`EXPLAIN (ANALYZE, FORMAT JSON) ${{ strings, values }}`;
      const text = JSON.stringify(plan);
      expect(text).toContain('"orders_by_time"');
      expect(text).not.toContain('"Sort"');
      expect(text).not.toContain('"Seq Scan"');
      const read = [...text.matchAll(/"(?:Actual Rows|Rows Removed by Filter)":(\d+)/g)].map(([, n]) =>
        Number(n),
      );
      expect(Math.max(...read)).toBeLessThan(100);
    },
  );
});
