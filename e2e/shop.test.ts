import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { call } from './support/http.ts';
import { until } from './support/process.ts';
import { type Stack, startStack, testServer } from './support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ redisUrl: testServer('TEST_REDIS_URL') });
});
afterAll(() => stack.close());

let named = 0;
async function register() {
  named += 1;
  const name = `e2e-${process.pid}-${named}`;
  const credentials = { username: name, email: `${name}@example.com`, password: 'securepass123' };
  const { body } = await call('POST', `${stack.user.url}/api/users/register`, credentials);
  return { ...credentials, user: body['user'], token: String(body['tokens']?.['access_token']) };
}

describe('the requests of the original README', () => {
  test('register, log in, read the own account', async () => {
    const ada = await register();
    expect(ada.user).toMatchObject({ id: expect.any(Number), username: ada.username, email: ada.email });
    const { username, password } = ada;
    const login = await call('POST', `${stack.user.url}/api/users/login`, { username, password });
    expect(login.status).toBe(200);
    const me = await call('GET', `${stack.user.url}/api/users/me`, undefined, { token: ada.token });
    expect(me.body['user']).toEqual(ada.user);
  });

  test('create a product, list it, change its stock', async () => {
    const { token } = await register();
    const product = {
      name: 'iPhone 15 Pro',
      description: 'Latest flagship with A17 Pro chip',
      price: 999.99,
      stock: 50,
      category: 'Electronics',
    };
    const created = await call('POST', `${stack.product.url}/api/products`, product, { token });
    expect(created.status).toBe(201);
    expect(created.body['product']).toMatchObject({ ...product, currency: 'USD' });
    const query = 'page=1&per_page=20&category=Electronics&min_price=100&max_price=2000';
    const list = await call('GET', `${stack.product.url}/api/products?${query}`);
    expect(list.body['products']).toContainEqual(
      expect.objectContaining({ id: created.body['product']?.['id'] }),
    );
    const path = `/api/products/${created.body['product']?.['id']}/stock`;
    const stocked = await call('PUT', `${stack.product.url}${path}`, { quantity: 10 }, { token });
    expect(stocked.body['product']?.['stock']).toBe(60);
  });

  test('place an order, list orders, read statistics', async () => {
    const { token } = await register();
    const ids: unknown[] = [];
    for (const price of [19.99, 5]) {
      const given = { name: 'Something', price, stock: 5 };
      const { body } = await call('POST', `${stack.product.url}/api/products`, given, { token });
      ids.push(body['product']?.['id']);
    }
    const lines = [
      { product_id: ids[0], quantity: 2 },
      { product_id: ids[1], quantity: 1 },
    ];
    const order = await call('POST', `${stack.order.url}/api/orders`, { products: lines }, { token });
    expect([order.status, order.body['order']?.['total_amount']]).toEqual([201, 44.98]);
    const list = await call(
      'GET',
      `${stack.order.url}/api/orders?page=1&per_page=10&status=pending`,
      undefined,
      { token },
    );
    expect(list.body['orders']).toHaveLength(1);
    const stats = await call('GET', `${stack.order.url}/api/orders/stats`, undefined, { token });
    expect(stats.body).toMatchObject({
      total_orders: 1,
      total_spent: 44.98,
      pending_orders: 1,
      completed_orders: 0,
    });
  });
});

describe('the services together', () => {
  test('confirm the reservation of a placed order', async () => {
    const held = async () => {
      const { text } = await call('GET', `${stack.product.url}/metrics`);
      return Number(/^reservations_held\{[^}]*\} (\d+)/m.exec(text)?.[1]);
    };
    await until('the confirm jobs have run', async () => (await held()) === 0);
  });

  test('keep the orders of a deleted user with only the user id', async () => {
    const [seller, buyer, admin] = [await register(), await register(), await register()];
    const given = { name: 'Something', price: 5, stock: 5 };
    const product = await call('POST', `${stack.product.url}/api/products`, given, seller);
    const lines = [{ product_id: product.body['product']?.['id'], quantity: 1 }];
    const placed = await call('POST', `${stack.order.url}/api/orders`, { products: lines }, buyer);
    const users = new Client({ connectionString: stack.user.databaseUrl });
    await users.connect();
    await users.query(`UPDATE users SET role = 'admin' WHERE username = $1`, [admin.username]);
    const { username, password } = admin;
    const login = await call('POST', `${stack.user.url}/api/users/login`, { username, password });
    const token = String(login.body['tokens']?.['access_token']);
    const id = buyer.user?.['id'];
    expect((await call('DELETE', `${stack.user.url}/api/users/${id}`, undefined, { token })).status).toBe(
      200,
    );
    const path = `${stack.order.url}/api/orders/${placed.body['order']?.['id']}`;
    const order = await call('GET', path, undefined, { token });
    expect(order.body['order']).toMatchObject({ user_id: id, total_amount: 5 });
    expect(JSON.stringify(order.body)).not.toContain(buyer.username);
    const left = await users.query(
      'SELECT DISTINCT ip FROM security_events WHERE user_id = $1 AND actor_id = $1',
      [id],
    );
    expect(left.rows).toEqual([{ ip: null }]);
    await users.end();
  });

  test('delete a user everywhere: personal data in orders and stored responses, and products', async () => {
    const [seller, buyer] = [await register(), await register()];
    const given = { name: 'Something', price: 5, stock: 5 };
    const { body } = await call('POST', `${stack.product.url}/api/products`, given, seller);
    const product = body['product']?.['id'];
    const order = {
      products: [{ product_id: product, quantity: 1 }],
      shipping_address: {
        name: 'Ada Lovelace',
        line1: 'Main St 1',
        city: 'Bern',
        postal_code: '3000',
        country: 'CH',
      },
      note: 'the bell is broken',
    };
    const keyed = { token: buyer.token, headers: { 'Idempotency-Key': randomUUID() } };
    const placed = await call('POST', `${stack.order.url}/api/orders`, order, keyed);
    const id = placed.body['order']?.['id'];
    await call('DELETE', `${stack.order.url}/api/orders/${id}`, undefined, buyer);
    const database = new Client({ connectionString: stack.order.databaseUrl });
    await database.connect();
    const stored = async () => {
      const { rows } = await database.query(
        `SELECT o.shipping_address, o.note, k.answer_body FROM orders o JOIN idempotency_keys k ON k.order_id = o.id
          WHERE o.id = $1`,
        [id],
      );
      return JSON.stringify(rows);
    };
    expect(await stored()).toMatch(/Ada Lovelace.*bell.*Ada Lovelace/);
    for (const user of [buyer, seller]) {
      const { status } = await call(
        'DELETE',
        `${stack.user.url}/api/users/${user.user?.['id']}`,
        undefined,
        user,
      );
      expect(status).toBe(200);
    }
    await until('the personal data are erased', async () => !/Ada|bell/.test(await stored()));
    await database.end();
    const shown = () => call('GET', `${stack.product.url}/api/products/${product}`);
    await until('the product is gone', async () => (await shown()).status === 404);
    const { token } = await register();
    const late = await call('POST', `${stack.order.url}/api/orders`, { products: order.products }, { token });
    expect([late.status, late.body['code']]).toEqual([404, 'product_not_found']);
  });

  test('pass the request id on, and refuse clients at /internal', async () => {
    const { token } = await register();
    const outsider = await call('GET', `${stack.product.url}/internal/reservations?older_than=0`, undefined, {
      token,
    });
    expect(outsider.status).toBe(401);
    const anonymous = await call('POST', `${stack.product.url}/internal/reservations`, {});
    expect(anonymous.status).toBe(401);
  });

  test('refuse the access tokens of a revoked session everywhere, as soon as they have read of it', async () => {
    const { token } = await register();
    const orders = () => call('GET', `${stack.order.url}/api/orders`, undefined, { token });
    expect((await orders()).status).toBe(200);
    expect((await call('POST', `${stack.user.url}/api/users/logout`, undefined, { token })).status).toBe(204);
    await until('the token is refused', async () => (await orders()).status === 401);
  });

  test.each<['user' | 'product' | 'order', string]>([
    [
      'user',
      'adopt_waiting_mails remove_account_changes remove_mail_requests remove_mail_tokens remove_security_events remove_sent_mails remove_sessions',
    ],
    [
      'product',
      'read_deletions remove_closed_reservations remove_empty_categories remove_unused_categories remove_unused_words',
    ],
    [
      'order',
      'compare_databases heal_reservations read_deletions reconcile remove_keys remove_rejected_orders',
    ],
  ])('run the periodic tasks of %s-service', async (name, tasks) => {
    const client = new Client({ connectionString: stack[name].databaseUrl });
    await client.connect();
    const begun = async () =>
      (await client.query("SELECT task FROM jobs.turns WHERE task NOT LIKE '%: running' ORDER BY task")).rows
        .map(({ task }) => task)
        .join(' ');
    await until('all have had a turn', async () => (await begun()) === tasks);
    await client.end();
  });

  test('serve their system routes', async () => {
    for (const service of [stack.user, stack.product, stack.order]) {
      const health = await call('GET', `${service.url}/health`);
      expect(health.body['status']).toBe('healthy');
      const api = await call('GET', `${service.url}/openapi.json`);
      expect(api.body['openapi']).toBe('3.1.0');
    }
  });
});

describe('SIGTERM', () => {
  test('stops a service in order, with exit code 0', async () => {
    expect(await stack.order.stop()).toBe(0);
    await stack.order.start();
    expect((await call('GET', `${stack.order.url}/ready`)).status).toBe(200);
  });
});
