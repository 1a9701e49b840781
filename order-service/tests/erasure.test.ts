import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startJobs } from '@shop/service-kit/jobs/start-jobs';
import { openDatabase } from '@shop/service-kit/postgres/open-database';
import type { Query } from '@shop/service-kit/postgres/query';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { createTestFeed } from '@shop/service-kit/testing/account-feed';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import { until } from '@shop/service-kit/testing/until';
import { Client } from 'pg';
import { Registry } from 'prom-client';
import request from 'supertest';
import { createOrderErasure } from '../src/erasure/erasure.jobs.ts';
import { createProduct } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

const logger = createLogger('test', 'silent');
let shop: TestShop;
let database: ReturnType<typeof openDatabase>;
let product: number;
const running: ReturnType<typeof startJobs>[] = [];
beforeAll(async () => {
  shop = await startTestShop();
  database = openDatabase(shop.databaseUrl, 5, logger, { timeLimitFactor: 8 });
  product = await createProduct(shop, { stock: 10_000 });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((jobs) => jobs.close()));
  await database.query`DELETE FROM account_feed`;
});
afterAll(async () => {
  await database.close();
  await shop.close();
});

const ADDRESS = {
  name: 'Ada Lovelace',
  line1: 'Main St 1',
  city: 'London',
  postal_code: 'E1',
  country: 'GB',
  phone: '123',
};
const signal = new AbortController().signal;

let lastBuyer = 4710;
const newBuyer = () => {
  lastBuyer += 1;
  return lastBuyer;
};
async function place(buyer: number): Promise<number> {
  const response = await request(shop.app)
    .post('/api/orders')
    .set({ authorization: bearer(buyer), 'idempotency-key': crypto.randomUUID() })
    .send({
      products: [{ product_id: product, quantity: 1 }],
      shipping_address: ADDRESS,
      note: 'the bell is broken',
    })
    .expect(201);
  return Number(response.body.order.id);
}
const cancel = (id: number, buyer: number) =>
  request(shop.app).delete(`/api/orders/${id}`).set('authorization', bearer(buyer)).expect(200);
/** Sets orders to delivered. */
const delivered = (buyer: number, count: number) => database.query`
  INSERT INTO orders (user_id, status, placement, reservation_id, deadline, total_minor, currency, shipping_address, note)
  SELECT ${buyer}::int, 'delivered', placement, gen_random_uuid(), deadline, total_minor, currency, shipping_address, note
    FROM (SELECT * FROM orders WHERE note IS NOT NULL LIMIT 1) AS o, generate_series(1, ${count}::int)`;
const withPersonalData = (buyer: number) =>
  shop.db.order.count({ where: { userId: buyer, NOT: { note: null } } });
/** Whether address, note and stored response still contain personal data. */
async function personal(id: number) {
  const order = await shop.db.order.findUniqueOrThrow({ where: { id } });
  const key = await shop.db.idempotencyKey.findFirstOrThrow({ where: { orderId: id } });
  return [order.shippingAddress !== null, order.note !== null, /Ada|bell/.test(key.responseBody ?? '')];
}
const NOTHING = [false, false, false];
const EVERYTHING = [true, true, true];

const feedWithout = (...users: number[]) => {
  const feed = createTestFeed();
  for (const user of users) feed.deleteUser(user);
  return feed;
};
const erasureOf = (feed: ReturnType<typeof createTestFeed>, query: Query = database.query) => {
  const { tasks, periodic } = createOrderErasure({
    query,
    readChanges: feed.readChanges,
    cache: shop.orderCache,
  });
  return {
    tasks,
    periodic,
    readNew: () => periodic['read_deletions']?.run(signal),
    eraseUser: (id: number, stop = signal) => tasks['erase_user']?.({ user_id: id }, stop),
  };
};
function start(feed: ReturnType<typeof createTestFeed>): void {
  const config = { DATABASE_URL: shop.databaseUrl, JOB_MAX_BACKOFF: 1, JOB_ABANDONED_AFTER: 60 };
  const { tasks, periodic } = erasureOf(feed);
  const { query } = database;
  running.push(startJobs({ config, query, logger, metrics: { registry: new Registry() }, tasks, periodic }));
}
const isDone = async () => {
  const jobs = await database.query<unknown[]>`
    SELECT 1 FROM graphile_worker.jobs WHERE task_identifier = 'erase_user'`;
  return jobs.length === 0;
};

test('personal data of a deleted user is erased from finished orders, and from open ones when they finish', async () => {
  const [buyer, other] = [newBuyer(), newBuyer()];
  const [ended, open, others] = [await place(buyer), await place(buyer), await place(other)];
  await cancel(ended, buyer);
  await cancel(others, other);
  const { readNew, eraseUser } = erasureOf(feedWithout(buyer));
  await readNew();
  await readNew();
  expect(await database.query`SELECT cursor FROM account_feed`).toEqual([{ cursor: '1' }]);
  const jobs =
    await database.query`SELECT key FROM graphile_worker.jobs WHERE task_identifier = 'erase_user'`;
  expect(jobs).toEqual([{ key: `erase_user:${buyer}` }]);
  await eraseUser(buyer);
  expect(await personal(ended)).toEqual(NOTHING);
  expect(await personal(open)).toEqual(EVERYTHING);
  expect(await personal(others)).toEqual(EVERYTHING);
  await cancel(open, buyer);
  expect(await personal(open)).toEqual(NOTHING);
});

test('several batches of orders are erased, with open orders in between and after a crash in the middle', async () => {
  const buyer = newBuyer();
  const open = await place(buyer);
  await delivered(buyer, 1200);
  expect(await withPersonalData(buyer)).toBe(1201);
  let batches = 0;
  const dying: Query = async <Rows>(...statement: Parameters<Query>) => {
    if (batches === 1 && statement[0].join('').includes('UPDATE orders')) throw new Error('killed');
    if (statement[0].join('').includes('UPDATE orders')) batches += 1;
    return database.query<Rows>(...statement);
  };
  const feed = feedWithout(buyer);
  const { readNew, eraseUser } = erasureOf(feed, dying);
  await readNew();
  await expect(eraseUser(buyer)).rejects.toThrow('killed');
  expect(await withPersonalData(buyer)).toBe(1201 - 499);
  await database.query`
    UPDATE graphile_worker._private_jobs SET locked_at = now() - interval '2 minutes', locked_by = 'killed', attempts = 1
     WHERE key = ${`erase_user:${buyer}`}`;
  start(feed);
  await until('the job is done', isDone);
  expect(await withPersonalData(buyer)).toBe(1);
  expect(await personal(open)).toEqual(EVERYTHING);
});

test('a job that is stopped between two batches counts as failed, and its next attempt finishes the work', async () => {
  const buyer = newBuyer();
  await place(buyer);
  await delivered(buyer, 600);
  const stop = new AbortController();
  const stopping: Query = async <Rows>(...statement: Parameters<Query>) => {
    const rows = await database.query<Rows>(...statement);
    stop.abort(new Error('stopped'));
    return rows;
  };
  const { eraseUser } = erasureOf(feedWithout(buyer), stopping);
  await expect(eraseUser(buyer, stop.signal)).rejects.toThrow('stopped');
  expect(await withPersonalData(buyer)).toBe(601 - 499);
  await erasureOf(feedWithout(buyer)).eraseUser(buyer);
  // The open order.
  expect(await withPersonalData(buyer)).toBe(1);
});

test('after days without user-service, all deletions are found among many other changes', async () => {
  const buyers = Array.from({ length: 1500 }, newBuyer);
  const orders = [];
  for (const buyer of [buyers[0], buyers[700], buyers[1499]]) {
    const id = await place(buyer ?? 0);
    await cancel(id, buyer ?? 0);
    orders.push(id);
  }
  const feed = createTestFeed();
  for (const buyer of buyers) {
    feed.endSessions(2);
    feed.deleteUser(buyer);
  }
  feed.failAfter(2);
  await expect(erasureOf(feed).readNew()).rejects.toThrow('user-service');
  expect(await database.query`SELECT cursor FROM account_feed`).toEqual([{ cursor: '2000' }]);
  feed.failAfter(100);
  start(feed);
  await until('everything is read', async () => {
    const [row] = await database.query<{ cursor: string }[]>`SELECT cursor FROM account_feed`;
    return row?.cursor === '4500';
  });
  await until('the jobs are done', isDone);
  for (const id of orders) expect(await personal(id)).toEqual(NOTHING);
});

test('an order that finishes while the job runs is erased', async () => {
  const buyer = newBuyer();
  const id = await place(buyer);
  const client = new Client({ connectionString: shop.databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query("UPDATE orders SET status = 'cancelled' WHERE id = $1", [id]);
  const feed = feedWithout(buyer);
  start(feed);
  await until('the job waits for the order', async () => {
    const waiting = await database.query<unknown[]>`
      SELECT 1 FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%erase_stored_response%'`;
    return waiting.length === 1;
  });
  await client.query('COMMIT');
  await client.end();
  await until('the job is done', isDone);
  expect(await personal(id)).toEqual(NOTHING);
});
