import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { startJobs } from '@shop/service-kit/jobs/start-jobs';
import type { Query } from '@shop/service-kit/postgres/query';
import { createTestFeed } from '@shop/service-kit/testing/account-feed';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import { Registry } from 'prom-client';
import request from 'supertest';
import { createProductErasure } from '../src/erasure/erasure.jobs.ts';
import { createInternalCalls } from './support/internal.calls.ts';
import { createProduct } from './support/product.factory.ts';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { within } from './support/within.ts';

/** Milliseconds, enough for a slow machine. */
const SOON = 15_000;

let shop: TestShop;
let other: Replica;
const running: ReturnType<typeof startJobs>[] = [];
beforeAll(async () => {
  shop = await startTestShop();
  other = await shop.startReplica();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((jobs) => jobs.close()));
  await shop.run('DELETE FROM graphile_worker._private_jobs; DELETE FROM account_feed');
});
afterAll(() => shop.close());

let lastSeller = 1000;
const newSeller = () => {
  lastSeller += 1;
  return lastSeller;
};
const feedWithout = (...users: number[]) => {
  const feed = createTestFeed();
  for (const user of users) feed.deleteUser(user);
  return feed;
};
const erasureOf = (feed: ReturnType<typeof createTestFeed>, query: Query = shop.query) =>
  createProductErasure({
    query,
    readChanges: feed.readChanges,
    catalogueChanged: shop.catalogue.cache.catalogueChanged,
  });
function start(feed: ReturnType<typeof createTestFeed>): void {
  const { config, logger, query } = shop;
  running.push(
    startJobs({ config, query, logger, metrics: { registry: new Registry() }, ...erasureOf(feed) }),
  );
}
const goods = (owner: number, count: number, category: string) =>
  shop.run(`INSERT INTO products (name, price_minor, stock, category, owner_id)
            SELECT 'Thing ' || n, 100, 5, '${category}', ${owner} FROM generate_series(1, ${count}) AS n`);
const onSale = async (owner: number) =>
  (await request(shop.app).get(`/api/products?owner_id=${owner}`)).body.total;
const left = (owner: number) => shop.db.product.count({ where: { ownerId: owner, deletedAt: null } });
const done = async () =>
  expect(await shop.query`SELECT 1 FROM graphile_worker.jobs WHERE task_identifier = 'erase_user'`).toEqual(
    [],
  );
const signal = new AbortController().signal;

test('the products of a deleted user disappear from every replica, and can be neither read nor ordered', async () => {
  const [seller, stays] = [newSeller(), newSeller()];
  const product = await createProduct(shop.app, { category: 'Lamps' }, bearer(seller));
  const foreign = await createProduct(shop.app, { category: 'Lamps' }, bearer(stays));
  await goods(seller, 1200, 'Only theirs');
  const listed = async ({ app }: { app: Replica['app'] }) => {
    const list = await request(app).get('/api/products?category=Lamps');
    return list.body.products.map(({ id }: { id: number }) => id);
  };
  const categories = async () => (await request(shop.app).get('/api/products/categories')).body.categories;
  for (const replica of [shop, other]) {
    await request(replica.app).get(`/api/products/${product.id}`).expect(200);
    expect(await listed(replica)).toEqual([product.id, foreign.id]);
  }
  expect(await categories()).toEqual(['Lamps', 'Only theirs']);

  start(feedWithout(seller));
  await within(SOON, async () => expect(await onSale(seller)).toBe(0));
  for (const replica of [shop, other]) {
    await within(SOON, () => request(replica.app).get(`/api/products/${product.id}`).expect(404));
    await within(SOON, async () => expect(await listed(replica)).toEqual([foreign.id]));
  }
  await within(SOON, async () => expect(await categories()).toEqual(['Lamps']));
  const refused = await createInternalCalls(() => shop.app).reserve(randomUUID(), [product.id, 1]);
  expect(refused.body.refusal).toEqual([{ product_id: product.id, requested: 1, available: null }]);
  await request(shop.app).get(`/api/products/${foreign.id}`).expect(200);
});

test('erasure is completed after a process was killed between a batch and its cache invalidation', async () => {
  const seller = newSeller();
  const product = await createProduct(shop.app, {}, bearer(seller));
  await goods(seller, 1200, 'Killed');
  await request(shop.app).get(`/api/products/${product.id}`).expect(200);
  const feed = feedWithout(seller);
  let batches = 0;
  const dying: Query = async <Rows>(...statement: Parameters<Query>) => {
    if (batches === 1) throw new Error('killed');
    const rows = await shop.query<Rows>(...statement);
    if (statement[0].join('').includes('UPDATE products')) batches += 1;
    return rows;
  };
  const { tasks, periodic } = erasureOf(feed, dying);
  await periodic['read_deletions']?.run(signal);
  await expect(tasks['erase_user']?.({ user_id: seller }, signal)).rejects.toThrow('killed');
  await shop.run(`UPDATE graphile_worker._private_jobs SET locked_at = now() - interval '2 minutes', locked_by = 'killed', attempts = 1
                   WHERE key = 'erase_user:${seller}'`);
  expect(await left(seller)).toBe(701);
  await request(shop.app).get(`/api/products/${product.id}`).expect(200);

  start(feed);
  await within(SOON, () => request(shop.app).get(`/api/products/${product.id}`).expect(404));
  await within(SOON, async () => expect(await left(seller)).toBe(0));
  await within(SOON, done);
});

test('a job that is stopped between two batches counts as failed, and its next attempt finishes the work', async () => {
  const seller = newSeller();
  await goods(seller, 600, 'Stopped');
  const stop = new AbortController();
  const stopping: Query = async <Rows>(...statement: Parameters<Query>) => {
    const rows = await shop.query<Rows>(...statement);
    stop.abort(new Error('stopped'));
    return rows;
  };
  const task = erasureOf(feedWithout(seller), stopping).tasks['erase_user'];
  await expect(task?.({ user_id: seller }, stop.signal)).rejects.toThrow('stopped');
  expect(await left(seller)).toBe(100);
  await erasureOf(feedWithout(seller)).tasks['erase_user']?.({ user_id: seller }, signal);
  expect(await left(seller)).toBe(0);
});

test('after days without user-service, all deletions are found among many other changes', async () => {
  const sellers = Array.from({ length: 1500 }, newSeller);
  for (const seller of [sellers[0], sellers[700], sellers[1499]]) await goods(seller ?? 0, 3, 'Old');
  const feed = createTestFeed();
  for (const seller of sellers) {
    feed.endSessions(2);
    feed.deleteUser(seller);
  }
  const { run } = erasureOf(feed).periodic['read_deletions'] ?? {};
  feed.failAfter(2);
  await expect(run?.(signal)).rejects.toThrow('user-service');
  expect(await shop.query`SELECT cursor FROM account_feed`).toEqual([{ cursor: '2000' }]);

  feed.failAfter(100);
  start(feed);
  await within(SOON, async () => {
    expect(await shop.query`SELECT cursor FROM account_feed`).toEqual([{ cursor: '4500' }]);
    await done();
  });
  expect(await shop.db.product.count({ where: { category: 'Old', deletedAt: null } })).toBe(0);
});

test('a product that a deleted user adds with a token that is still valid is removed', async () => {
  const seller = newSeller();
  start(feedWithout(seller));
  await within(SOON, async () =>
    expect(await shop.query`SELECT 1 FROM deleted_users WHERE user_id = ${seller}::int`).toHaveLength(1),
  );
  await within(SOON, done);
  const product = await createProduct(shop.app, { category: 'Late', sku: 'LATE' }, bearer(seller));
  await request(shop.app).get(`/api/products/${product.id}`).expect(404);
  await request(shop.app)
    .post('/api/products/import')
    .set({ authorization: bearer(seller), 'content-type': 'application/x-ndjson' })
    .send('{"sku": "LATE", "name": "One", "price": 1, "category": "Late"}\n')
    .expect(200);
  expect(await onSale(seller)).toBe(0);
  expect((await request(shop.app).get('/api/products/categories')).body.categories).not.toContain('Late');
});

test('a product that a deleted user adds in a transaction that does not see the deletion is removed', async () => {
  const seller = newSeller();
  const client = await shop.connect();
  await client.query('BEGIN');
  await client.query(
    `INSERT INTO products (name, price_minor, stock, category, owner_id) VALUES ('Late', 1, 1, 'Late', $1)`,
    [seller],
  );
  start(feedWithout(seller));
  await within(SOON, async () =>
    expect(
      await shop.query`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    ).toHaveLength(1),
  );
  await client.query('COMMIT');
  await client.end();
  await within(SOON, done);
  expect(await left(seller)).toBe(0);
});
