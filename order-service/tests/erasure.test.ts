import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AccountChange, ReadChanges } from '@shop/service-kit/accounts/account-changes';
import { createDeletions } from '@shop/service-kit/accounts/deletions';
import { openDatabase } from '@shop/service-kit/postgres/open-database';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import request from 'supertest';
import { erasureTasks } from '../src/erasure/erasure.jobs.ts';
import { createProduct } from './support/factories.ts';
import { type Shop, startShop } from './support/shop.ts';

let shop: Shop;
let database: ReturnType<typeof openDatabase>;
beforeAll(async () => {
  shop = await startShop();
  database = openDatabase(shop.databaseUrl, 5, createLogger('test', 'silent'), 8);
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
const running = new AbortController().signal;

test('a deleted user leaves no personal data in orders that ended, nor in those that end later', async () => {
  const product = await createProduct(shop, { stock: 100 });
  const buyer = 4711;
  const place = async (user: number) => {
    const answer = await request(shop.app)
      .post('/api/orders')
      .set({ authorization: bearer(user), 'idempotency-key': crypto.randomUUID() })
      .send({
        products: [{ product_id: product, quantity: 1 }],
        shipping_address: ADDRESS,
        note: 'the bell is broken',
      })
      .expect(201);
    return Number(answer.body.order.id);
  };
  const cancel = (id: number, user: number) =>
    request(shop.app).delete(`/api/orders/${id}`).set('authorization', bearer(user)).expect(200);
  const [ended, open, others] = [await place(buyer), await place(buyer), await place(99)];
  await cancel(ended, buyer);
  await cancel(others, 99);

  const pages: AccountChange[][] = [[], [{ type: 'user_deleted', user_id: buyer, at: 1 }]];
  const readChanges: ReadChanges = async (after = '0') => {
    const page = Number(after);
    return {
      changes: pages[page] ?? [],
      next: String(Math.min(page + 1, pages.length)),
      more: page + 1 < pages.length,
      now: 1,
    };
  };
  const deletions = createDeletions({ readChanges, query: database.query });
  await deletions.readNew(running);
  await deletions.readNew(running);
  expect(await database.query`SELECT cursor FROM account_feed`).toEqual([{ cursor: '2' }]);
  const jobs =
    await database.query`SELECT key FROM graphile_worker.jobs WHERE task_identifier = 'erase_user'`;
  expect(jobs).toEqual([{ key: `erase_user:${buyer}` }]);
  await erasureTasks(database.query, shop.orderCache)['erase_user']?.({ user_id: buyer }, running);

  const personal = async (id: number) => {
    const order = await shop.db.order.findUniqueOrThrow({ where: { id } });
    const key = await shop.db.idempotencyKey.findFirstOrThrow({ where: { orderId: id } });
    const inResponse = /Ada|bell/.test(key.answerBody ?? '');
    return [order.shippingAddress !== null, order.note !== null, inResponse];
  };
  expect(await personal(ended)).toEqual([false, false, false]);
  expect(await personal(open)).toEqual([true, true, true]);
  expect(await personal(others)).toEqual([true, true, true]);
  await cancel(open, buyer);
  expect(await personal(open)).toEqual([false, false, false]);
});
