import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PROCESS_SETTINGS } from '@shop/service-kit/process-settings';
import { call } from './support/http.ts';
import { freePort, type Started, startProcess, until } from './support/process.ts';
import {
  createServiceDatabase,
  folderOf,
  type ServiceDatabase,
  type ServiceName,
} from './support/service-database.ts';
import { JWT_SECRET, testServer } from './support/stack.ts';

const ALL: ServiceName[] = ['user-service', 'product-service', 'order-service'];
const databases: ServiceDatabase[] = [];
const services = new Map<ServiceName, { url: string; process: Started }>();

/** Starts a service in development with the three variables of the original, and a port. */
async function startAlone(name: ServiceName): Promise<void> {
  const database = await createServiceDatabase(testServer('TEST_DATABASE_URL'), name);
  databases.push(database);
  await database.migrate();
  const port = await freePort();
  const process = startProcess('node', ['dist/server.js'], {
    cwd: folderOf(name),
    env: {
      ...PROCESS_SETTINGS,
      DATABASE_URL: database.serviceUrl,
      REDIS_URL: testServer('TEST_REDIS_URL'),
      JWT_SECRET_KEY: JWT_SECRET,
      PORT: String(port),
    },
  });
  const url = `http://127.0.0.1:${port}`;
  services.set(name, { url, process });
  await until(`${name} is ready`, async () => process.hasEnded() || (await fetch(`${url}/ready`)).ok);
}

beforeAll(async () => {
  for (const name of ALL) await startAlone(name);
});
afterAll(async () => {
  for (const { process } of services.values()) await process.stop();
  for (const database of databases) await database.drop();
});

const urlOf = (name: ServiceName) => String(services.get(name)?.url);
const outputOf = (name: ServiceName) => String(services.get(name)?.process.output());

test('each service works with three variables in development', async () => {
  const name = `alone-${process.pid}`;
  const account = { username: name, email: `${name}@example.com`, password: 'securepass123' };
  const registered = await call('POST', `${urlOf('user-service')}/api/users/register`, account);
  expect([registered.status, registered.body['user']?.['username']]).toEqual([201, name]);
  const token = String(registered.body['tokens']?.['access_token']);
  const lamp = { name: 'Lamp', price: 5, stock: 5 };
  // A busy machine may need longer than the 2 s of a request.
  const products = `${urlOf('product-service')}/api/products`;
  await until(
    'a product is created',
    async () => (await call('POST', products, lamp, { token })).status === 201,
  );
  const orders = `${urlOf('order-service')}/api/orders`;
  await until(
    'orders are listed',
    async () => (await call('GET', orders, undefined, { token })).status === 200,
  );
});

test('without USER_SERVICE_URL the others warn at their start', () => {
  const warning = 'USER_SERVICE_URL is not set: tokens of revoked sessions are accepted until they expire';
  expect(ALL.map((name) => outputOf(name).includes(warning))).toEqual([false, true, true]);
});
