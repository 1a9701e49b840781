import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import request from 'supertest';
import { basket, createProduct, placeOrder, stockOf } from './support/factories.ts';
import { type Shop, startShop } from './support/shop.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await startShop();
});
afterAll(() => shop.close());

const ADMIN = bearer(999, 'admin');
const get = (path: string, token: string) => request(shop.url).get(path).set('Authorization', token);
const setStatus = (id: number, status: unknown, token: string) =>
  request(shop.url).put(`/api/orders/${id}/status`).set('Authorization', token).send({ status });
const cancel = (id: number, token: string) =>
  request(shop.url).delete(`/api/orders/${id}`).set('Authorization', token);

async function order(userId: number, given: { ownerId?: number; quantity?: number } = {}) {
  const product = await createProduct(shop, { stock: 100_000, priceMinor: 500n, ...given });
  const { body } = await placeOrder(shop, userId, basket([product, given.quantity ?? 2]));
  return { id: body.order.id as number, product };
}

describe('GET /api/orders/:id', () => {
  test('is seen by its buyer and by admins, and does not exist for others', async () => {
    const { id } = await order(1);
    expect((await get(`/api/orders/${id}`, bearer(1))).status).toBe(200);
    expect((await get(`/api/orders/${id}`, ADMIN)).status).toBe(200);
    const other = await get(`/api/orders/${id}`, bearer(2));
    expect([other.status, other.body.error]).toEqual([404, 'Order not found']);
    expect((await get(`/api/orders/${id}/history`, bearer(2))).status).toBe(404);
    expect((await cancel(id, bearer(2))).status).toBe(404);
    expect((await setStatus(id, 'processing', bearer(2))).status).toBe(404);
    expect((await setStatus(2_000_000_000, 'processing', ADMIN)).status).toBe(404);
  });

  test('refuses ids that are none', async () => {
    for (const id of ['0', '-1', '1.5', 'x', '2147483648', '1e3']) {
      expect((await get(`/api/orders/${id}`, bearer(1))).status).toBe(400);
    }
  });

  test('does not show what is still being placed', async () => {
    const row = await shop.db.order.create({
      data: {
        userId: 1,
        placement: 'PLACING',
        reservationId: '00000000-0000-7000-8000-000000000001',
        deadline: new Date(),
        currency: 'USD',
      },
    });
    expect((await get(`/api/orders/${row.id}`, bearer(1))).status).toBe(404);
  });
});

describe('GET /api/orders', () => {
  test('lists the own orders, newest first, by page and by cursor', async () => {
    const ids = [];
    for (let i = 0; i < 5; i++) ids.unshift((await order(20)).id);
    await order(21);
    const idsOf = (response: { body: { orders: { id: number }[] } }) =>
      response.body.orders.map(({ id }) => id);
    const first = await get('/api/orders?page=1&per_page=2', bearer(20));
    expect(first.body).toMatchObject({ total: 5, page: 1, pages: 3, per_page: 2 });
    expect(idsOf(first)).toEqual(ids.slice(0, 2));
    expect(idsOf(await get('/api/orders?page=3&per_page=2', bearer(20)))).toEqual(ids.slice(4));
    const walked = [];
    for (let cursor: string | null = first.body.next_cursor; cursor !== null; ) {
      const page = await get(`/api/orders?per_page=2&cursor=${cursor}`, bearer(20));
      walked.push(...idsOf(page));
      cursor = page.body.next_cursor;
    }
    expect(walked).toEqual(ids.slice(2));
    expect((await get('/api/orders', bearer(20))).body.per_page).toBe(10);
  });

  test('filters by status and time', async () => {
    const { id } = await order(22);
    await order(22);
    await setStatus(id, 'processing', ADMIN);
    const processing = await get('/api/orders?status=processing', bearer(22));
    expect(processing.body).toMatchObject({ total: 1, orders: [{ id, status: 'processing' }] });
    expect((await get('/api/orders?from=2020-01-01', bearer(22))).body.total).toBe(2);
    expect((await get('/api/orders?to=2020-01-01T00:00:00Z', bearer(22))).body).toMatchObject({
      total: 0,
      orders: [],
      pages: 0,
    });
  });

  test('shows all orders, or those of a user, to admins only', async () => {
    const { id } = await order(23);
    expect((await get('/api/orders?scope=all', bearer(23))).status).toBe(403);
    expect((await get('/api/orders?user_id=23', bearer(24))).status).toBe(403);
    expect((await get('/api/orders?user_id=23', ADMIN)).body).toMatchObject({ total: 1, orders: [{ id }] });
    const all = await get('/api/orders?scope=all&per_page=1', ADMIN);
    expect(all.body.orders[0].id).toBe(id);
    expect(all.body.total).toBe(await shop.db.order.count({ where: { placement: 'PLACED' } }));
  });

  test.each([
    'page=0',
    'page=-1',
    'page=',
    'page=1e15',
    'per_page=0',
    'per_page=101',
    'status=foo',
    'scope=mine',
    'from=yesterday',
    'from=2025-01-02&to=2025-01-01',
    'page=1&page=2',
    'page=2&cursor=WzFd',
    'cursor=nonsense',
    'cursor=WyJ4Il0',
    'page=1001&per_page=10',
    'user_id=0',
    'scope=selling&user_id=5',
    'sort=id',
    'to=',
  ])('refuses ?%s', async (query) => {
    const response = await get(`/api/orders?${query}`, ADMIN);
    expect(response.status).toBe(400);
  });

  test('names the cursor when a page is too deep', async () => {
    expect((await get('/api/orders?page=1001', bearer(1))).body.error).toMatch(/cursor/);
  });
});

describe('GET /api/orders/stats', () => {
  test('counts every order, and leaves the cancelled ones out of what was spent', async () => {
    const stats = async () => (await get('/api/orders/stats', bearer(30))).body;
    expect(await stats()).toEqual({
      total_orders: 0,
      total_spent: 0,
      pending_orders: 0,
      completed_orders: 0,
      cancelled_orders: 0,
      currency: 'USD',
    });
    const [delivered, cancelled] = [await order(30), await order(30)];
    await order(30);
    for (const status of ['processing', 'shipped', 'delivered']) await setStatus(delivered.id, status, ADMIN);
    await cancel(cancelled.id, bearer(30));
    expect(await stats()).toMatchObject({
      total_orders: 3,
      total_spent: 20,
      pending_orders: 1,
      completed_orders: 1,
      cancelled_orders: 1,
    });
  });

  test('counts one order of each status, with another price each', async () => {
    const way = { pending: [], processing: ['processing'], shipped: ['processing', 'shipped'] };
    const ways = { ...way, delivered: [...way.shipped, 'delivered'], cancelled: ['processing', 'cancelled'] };
    for (const [i, statuses] of Object.values(ways).entries()) {
      const { id } = await order(31, { quantity: 10 ** i });
      for (const status of statuses) expect((await setStatus(id, status, ADMIN)).status).toBe(200);
    }
    expect((await get('/api/orders/stats', bearer(31))).body).toEqual({
      total_orders: 5,
      total_spent: 5555,
      pending_orders: 1,
      completed_orders: 1,
      cancelled_orders: 1,
      currency: 'USD',
    });
    for (const status of Object.keys(ways)) {
      const listed = await get(`/api/orders?status=${status}`, bearer(31));
      expect(listed.body).toMatchObject({ total: 1, orders: [{ status }] });
    }
  });
});

describe('PUT /api/orders/:id/status', () => {
  test('goes the way of the table, and the history tells who did it', async () => {
    const { id } = await order(40);
    const moved = await setStatus(id, 'processing', ADMIN);
    expect(moved.body).toMatchObject({
      message: 'Order status updated successfully',
      order: { status: 'processing', allowed_transitions: ['shipped', 'cancelled'] },
    });
    const wrong = await setStatus(id, 'delivered', ADMIN);
    expect([wrong.status, wrong.body.code]).toEqual([409, 'invalid_transition']);
    expect((await setStatus(id, 'processing', ADMIN)).status).toBe(409);
    const { history } = (await get(`/api/orders/${id}/history`, bearer(40))).body;
    expect(history).toEqual([
      { from: null, to: 'pending', actor: 'user:40', at: expect.stringMatching(/Z$/) },
      { from: 'pending', to: 'processing', actor: 'user:999', at: expect.stringMatching(/Z$/) },
    ]);
  });

  test('is for the seller of every line, not for the buyer', async () => {
    const { id } = await order(41, { ownerId: 51 });
    expect((await setStatus(id, 'processing', bearer(41))).status).toBe(403);
    expect((await setStatus(id, 'processing', bearer(51))).status).toBe(200);
    const mine = await createProduct(shop, { ownerId: 51 });
    const theirs = await createProduct(shop, { ownerId: 52 });
    const { body } = await placeOrder(shop, 41, basket([mine, 1], [theirs, 1]));
    expect((await setStatus(body.order.id, 'processing', bearer(51))).status).toBe(403);
    expect((await setStatus(body.order.id, 'processing', bearer(53))).status).toBe(404);
  });

  test('refuses a missing and an unknown status in the words of the original', async () => {
    const { id } = await order(42);
    expect((await setStatus(id, undefined, ADMIN)).body.errors).toEqual(['Status is required']);
    expect((await setStatus(id, 'lost', ADMIN)).body.errors).toEqual([
      'Invalid status. Must be one of: pending, processing, shipped, delivered, cancelled',
    ]);
  });

  test('gives the stock back when it cancels', async () => {
    const { id, product } = await order(43);
    await setStatus(id, 'cancelled', ADMIN);
    expect(await stockOf(shop, product)).toBe(100_000);
  });
});

describe('DELETE /api/orders/:id', () => {
  test('cancels once and the stock is back when it responds', async () => {
    const { id, product } = await order(60);
    expect(await stockOf(shop, product)).toBe(99_998);
    const responses = await Promise.all([cancel(id, bearer(60)), cancel(id, bearer(60)), cancel(id, ADMIN)]);
    expect(responses.map((response) => response.status).sort()).toEqual([200, 400, 400]);
    const done = responses.find((response) => response.status === 200);
    expect(done?.body).toMatchObject({
      message: 'Order cancelled successfully',
      order: { status: 'cancelled' },
    });
    expect(await stockOf(shop, product)).toBe(100_000);
  });

  test('refuses what is shipped', async () => {
    const { id } = await order(61);
    for (const status of ['processing', 'shipped']) await setStatus(id, status, ADMIN);
    const response = await cancel(id, bearer(61));
    expect([response.status, response.body.code, response.body.error]).toEqual([
      400,
      'not_cancellable',
      'Cannot cancel order in current status',
    ]);
  });
});

describe('the service', () => {
  test('has its machine pages, and 405 for another method', async () => {
    for (const page of ['/health', '/ready', '/openapi.json', '/docs', '/metrics']) {
      expect((await request(shop.url).get(page)).status).toBe(200);
    }
    expect((await request(shop.url).get('/health')).body).toEqual({
      status: 'healthy',
      service: 'order-service',
    });
    const response = await request(shop.url).patch('/api/orders/1');
    expect([response.status, response.headers['allow']]).toEqual([405, 'GET, HEAD, DELETE']);
  });
});
