import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { call } from './support/http.ts';
import { until } from './support/process.ts';
import type { ServiceName } from './support/service-database.ts';
import { type ServiceProcess, type Stack, startStack } from './support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const serviceOf = (name: ServiceName): ServiceProcess =>
  ({ 'user-service': stack.user, 'product-service': stack.product, 'order-service': stack.order })[name];

/** As the service does it, or else as the superuser. */
async function ask(name: ServiceName, sql: string, asService = true) {
  const { databaseUrl, serviceUrl } = serviceOf(name);
  const client = new Client({ connectionString: asService ? serviceUrl : databaseUrl });
  await client.connect();
  return (await client.query(sql).finally(() => client.end())).rows;
}

async function register() {
  const username = `role-${Math.random().toString(36).slice(2, 10)}`;
  const account = { username, email: `${username}@example.com`, password: 'securepass123' };
  const { body } = await call('POST', `${stack.user.url}/api/users/register`, account);
  return { id: Number(body['user']?.['id']), token: String(body['tokens']?.['access_token']) };
}

describe('a service', () => {
  test.each<[ServiceName, string]>([
    ['user-service', 'security_events'],
    ['product-service', 'stock_movements'],
    ['order-service', 'order_status_changes'],
  ])('%s can add to %s, and change and remove nothing there', async (name, table) => {
    for (const sql of [
      `UPDATE ${table} SET id = id`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table}`,
      `ALTER TABLE ${table} ADD COLUMN mine TEXT`,
      `DROP TABLE ${table}`,
    ])
      await expect(ask(name, sql)).rejects.toMatchObject({ code: '42501' });
    await expect(ask(name, `SELECT count(*) FROM ${table}`)).resolves.toHaveLength(1);
  });

  test('user-service cannot have the owner remove the events of the last week, or of a living user', async () => {
    const { id, token } = await register();
    await ask(
      'user-service',
      `INSERT INTO security_events (event, user_id, actor_id, ip, created_at)
       VALUES ('logout', ${id}, ${id}, '203.0.113.7', now() - interval '6 days'),
              ('logout', ${id}, ${id}, '203.0.113.7', now() - interval '8 days')`,
    );
    const events = (condition: string) =>
      ask('user-service', `SELECT event FROM security_events WHERE user_id = ${id} AND ${condition}`);
    expect(await ask('user-service', 'SELECT remove_old_events(0, 100) AS removed')).toEqual([
      { removed: 1 },
    ]);
    expect(await events(`event = 'logout'`)).toHaveLength(1);
    expect(await ask('user-service', `SELECT forget_event_origins(${id}, 100) AS n`)).toEqual([{ n: 0 }]);
    expect(await events('ip IS NOT NULL')).toHaveLength(2);
    const deleted = await call('DELETE', `${stack.user.url}/api/users/${id}`, undefined, { token });
    expect(deleted.status).toBe(200);
    expect(await events('ip IS NOT NULL')).toEqual([]);
  });

  test('runs its jobs: a placed order is confirmed, a cancelled one released', async () => {
    const { token } = await register();
    const product = await call(
      'POST',
      `${stack.product.url}/api/products`,
      { name: 'A thing', price: 1, stock: 5 },
      { token },
    );
    const body = { products: [{ product_id: product.body['product']?.['id'], quantity: 2 }] };
    const place = async () =>
      Number((await call('POST', `${stack.order.url}/api/orders`, body, { token })).body['order']?.['id']);
    await place();
    const cancelled = await place();
    await call('DELETE', `${stack.order.url}/api/orders/${cancelled}`, undefined, { token });
    const states = () => ask('product-service', 'SELECT status FROM reservations ORDER BY status');
    await until(
      'both jobs have run',
      async () => (await states()).map(({ status }) => status).join() === 'CONFIRMED,RELEASED',
    );
    expect(await ask('order-service', 'SELECT * FROM graphile_worker.jobs WHERE attempts > 1')).toEqual([]);
  });
});
