import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { createInternalCalls, token } from './support/internal.calls.ts';
import { createProduct } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const { post, reserve, confirm, release } = createInternalCalls(() => shop.app);
const make = async (stock: number) => (await createProduct(shop.app, { stock })).id;

test('what is held or confirmed is listed in the order of its ids, page by page', async () => {
  const product = await make(100);
  const standing = async (after?: string) => {
    const response = await request(shop.app)
      .get('/internal/reservations/standing')
      .query(after === undefined ? {} : { after })
      .set('Authorization', `Bearer ${token()}`);
    expect(response.status).toBe(200);
    return response.body.reservation_ids as string[];
  };
  const [held, confirmed, released] = [randomUUID(), randomUUID(), randomUUID()];
  for (const id of [held, confirmed, released]) await reserve(id, [product, 1]);
  await confirm(confirmed);
  await release(released);
  const all = await standing();
  expect(all).toEqual([...all].sort());
  expect([held, confirmed, released].map((id) => all.includes(id))).toEqual([true, true, false]);
  expect(await standing(all[0])).toEqual(all.slice(1));
  expect(await standing(all.at(-1))).toEqual([]);
});

test('the statuses of reservations are read without a change; unknown ids are left out', async () => {
  const product = await make(2);
  const [held, confirmed, released, refused] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  for (const id of [held, confirmed]) await reserve(id, [product, 1]);
  await confirm(confirmed);
  await release(released);
  await reserve(refused, [product, 1]);
  const ids = [held, confirmed, released, refused];
  for (let i = 0; i < 2; i++) {
    const response = await post('/internal/reservations/statuses', {
      reservation_ids: [...ids, randomUUID()],
    });
    expect(response.status).toBe(200);
    const found = new Map<string, object>(
      response.body.reservations.map((entry: { id: string }) => [entry.id, entry]),
    );
    expect(ids.map((id) => found.get(id))).toEqual([
      { id: held, status: 'HELD', refused: false },
      { id: confirmed, status: 'CONFIRMED', refused: false },
      { id: released, status: 'RELEASED', refused: false },
      { id: refused, status: 'RELEASED', refused: true },
    ]);
    expect(found.size).toBe(4);
  }
});

test('a page of held reservations after a time that Postgres cannot hold is refused', async () => {
  const { status, body } = await request(shop.app)
    .get('/internal/reservations?older_than=60&after_time=0000-01-01T00:00:00Z')
    .set('Authorization', `Bearer ${token()}`);
  expect([status, body.code]).toEqual([400, 'validation_failed']);
});
