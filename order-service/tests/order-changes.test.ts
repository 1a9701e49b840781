import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import { until } from '@shop/service-kit/testing/until';
import { Client } from 'pg';
import request from 'supertest';
import { basket, createProduct, placeOrder, stockOf } from './support/factories.ts';
import { ADMIN, createOrderCalls } from './support/order-calls.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const { get, setStatus, cancel, order } = createOrderCalls(() => shop);

describe('PUT /api/orders/:id/status', () => {
  test('follows the table of transitions, and the history names the actor', async () => {
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

  test('is allowed for the seller of every line, not for the buyer', async () => {
    const { id } = await order(41, { ownerId: 51 });
    expect((await setStatus(id, 'processing', bearer(41))).status).toBe(403);
    expect((await setStatus(id, 'processing', bearer(51))).status).toBe(200);
    const mine = await createProduct(shop, { ownerId: 51 });
    const theirs = await createProduct(shop, { ownerId: 52 });
    const { body } = await placeOrder(shop, 41, basket([mine, 1], [theirs, 1]));
    expect((await setStatus(body.order.id, 'processing', bearer(51))).status).toBe(403);
    expect((await setStatus(body.order.id, 'processing', bearer(53))).status).toBe(404);
  });

  test('refuses a missing and an unknown status with the messages of the original API', async () => {
    const { id } = await order(42);
    expect((await setStatus(id, undefined, ADMIN)).body.errors).toEqual(['Status is required']);
    expect((await setStatus(id, 'lost', ADMIN)).body.errors).toEqual([
      'Invalid status. Must be one of: pending, processing, shipped, delivered, cancelled',
    ]);
  });

  test('returns the stock on cancellation', async () => {
    const { id, product } = await order(43);
    await setStatus(id, 'cancelled', ADMIN);
    expect(await stockOf(shop, product)).toBe(100_000);
  });
});

describe('DELETE /api/orders/:id', () => {
  test('cancels once, and the stock is returned before the response', async () => {
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

  test('refuses a shipped order', async () => {
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

describe('a cancellation that another change of the status precedes', () => {
  test.each([
    ['DELETE by the buyer', (id: number) => cancel(id, bearer(70))],
    ['PUT by an admin', (id: number) => setStatus(id, 'cancelled', ADMIN)],
  ])('is made if it is still possible: %s', async (_name, cancelIt) => {
    const { id, product } = await order(70);
    const other = new Client({ connectionString: shop.databaseUrl });
    await other.connect();
    const areWaiting = async (changes: number) => {
      const { rows } = await other.query(`
        SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`);
      return rows[0].count === changes;
    };
    await other.query(`BEGIN; SELECT FROM orders WHERE id = ${id} FOR UPDATE`);
    const moved = Promise.all([setStatus(id, 'processing', ADMIN)]);
    await until('the first change waits', () => areWaiting(1));
    const cancelled = Promise.all([cancelIt(id)]);
    await until('the second change waits', () => areWaiting(2));
    await other.query('COMMIT');
    await other.end();
    expect((await moved)[0].status).toBe(200);
    const [{ status, body }] = await cancelled;
    expect([status, body.order?.status, body.error]).toEqual([200, 'cancelled', undefined]);
    const { history } = (await get(`/api/orders/${id}/history`, bearer(70))).body;
    expect(history.map(({ to }: { to: string }) => to)).toEqual(['pending', 'processing', 'cancelled']);
    expect(await stockOf(shop, product)).toBe(100_000);
  });
});

describe('the service', () => {
  test('has its system routes, and returns 405 for other methods', async () => {
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
