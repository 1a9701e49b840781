import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import { ADMIN, createOrderCalls } from './support/order-calls.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const { get, setStatus, cancel, order } = createOrderCalls(() => shop);

describe('GET /api/orders/:id', () => {
  test('returns the order to its buyer and to admins, and 404 to others', async () => {
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

  test('refuses invalid ids', async () => {
    for (const id of ['0', '-1', '1.5', 'x', '2147483648', '1e3']) {
      expect((await get(`/api/orders/${id}`, bearer(1))).status).toBe(400);
    }
  });

  test('returns 404 for an order that is still being placed', async () => {
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
  test("lists the caller's orders, newest first, by page and by cursor", async () => {
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

  test('returns all orders, or those of another user, to admins only', async () => {
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

  test('recommends the cursor if a page is too deep', async () => {
    expect((await get('/api/orders?page=1001', bearer(1))).body.error).toMatch(/cursor/);
  });
});

describe('GET /api/orders/stats', () => {
  test('counts every order, and excludes cancelled ones from the total', async () => {
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

  test('counts orders of each status', async () => {
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
