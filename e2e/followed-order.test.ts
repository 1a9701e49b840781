import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addProducts } from './support/catalogue.ts';
import { call } from './support/http.ts';
import { until } from './support/process.ts';
import { type ServiceProcess, type Stack, startStack, testServer } from './support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ redisUrl: testServer('TEST_REDIS_URL'), env: { LOG_LEVEL: 'info' } });
});
afterAll(() => stack.close());

type Line = Record<string, unknown> & { service: string; msg: string };

const linesOf = ({ process }: ServiceProcess): Line[] =>
  process
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line));

/** What each line says, of all services and jobs, that names the order. */
function linesAbout(order: number): Line[] {
  const names = ({ order_id: one, order_ids: many }: Line) =>
    one === order || (Array.isArray(many) && many.includes(order));
  return [stack.user, stack.product, stack.order].flatMap(linesOf).filter(names);
}
const said = ({ service, msg, method, path, task }: Line) =>
  [service, msg, task ?? method, path].filter((part) => part !== undefined).join(' ');

test('one order is followed by its id through requests, calls between services and jobs', async () => {
  const account = { username: 'followed', email: 'followed@example.com', password: 'securepass123' };
  const registered = await call('POST', `${stack.user.url}/api/users/register`, account);
  const token = String(registered.body['tokens']?.['access_token']);
  const [product = 0] = await addProducts(stack.product.databaseUrl, 1, 5);
  const order = { products: [{ product_id: product, quantity: 2 }] };
  const as = (id: string) => ({ token, headers: { 'x-request-id': id } });
  await call('GET', `${stack.user.url}/api/users/me`, undefined, as('signed-in'));
  const placed = await call('POST', `${stack.order.url}/api/orders`, order, as('placing'));
  expect(placed.status).toBe(201);
  const id = Number(placed.body['order']?.['id']);
  const about = (request: string) => linesAbout(id).filter((line) => JSON.stringify(line).includes(request));
  await until('it is confirmed', async () => about('placing').length >= 4);
  expect(about('placing').map(said).toSorted()).toEqual([
    'order-service job confirm_reservations',
    'order-service request POST /api/orders',
    'product-service request POST /internal/reservations',
    'product-service request POST /internal/reservations/confirm',
  ]);

  const cancelled = await call('DELETE', `${stack.order.url}/api/orders/${id}`, undefined, as('cancelling'));
  expect(cancelled.status).toBe(200);
  await until('the job has run', async () => about('cancelling').length >= 4);
  const [reservation] = about('cancelling').flatMap((line) => line['reservation_id'] ?? []);
  const release = `product-service request POST /internal/reservations/${reservation}/release`;
  expect(about('cancelling').map(said).toSorted()).toEqual([
    'order-service job release_reservation',
    `order-service request DELETE /api/orders/${id}`,
    release,
    release,
  ]);

  // From there the buyer leads to user-service.
  const [placing] = about('placing').filter((line) => line['user_id'] !== undefined);
  const buyer = linesOf(stack.user).filter((line) => line['user_id'] === placing?.['user_id']);
  expect(buyer.map(said)).toContain('user-service request GET /api/users/me');
});
