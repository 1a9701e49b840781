import type { Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { PASSWORD, type Registered, register } from './support/user.factory.ts';

let shop: TestShop;
let user: Registered['user'];
let server: Server;
beforeAll(async () => {
  shop = await startTestShop();
});
beforeEach(async () => {
  user = (await register(shop.app)).user;
});
afterAll(async () => {
  server.close();
  await shop.close();
});

const logIn = () =>
  request(server).post('/api/users/login').send({ username: user.username, password: PASSWORD });

test('200 concurrent logins succeed, and /health responds before they are done', async () => {
  server = shop.app.listen(0);
  let done = 0;
  const logins = Array.from({ length: 200 }, async () => {
    const { status } = await logIn();
    done += 1;
    return status;
  });
  // A process that hashes on its main thread would respond only after the logins.
  await request(server).get('/health').expect(200);
  expect(done).toBeLessThan(200);
  expect(await Promise.all(logins)).toEqual(Array(200).fill(200));
});

test('50 concurrent registrations succeed', async () => {
  const registrations = Array.from({ length: 50 }, async (_, i) => {
    const name = `rush-${process.pid}-${i}`;
    const body = { username: name, email: `${name}@example.com`, password: PASSWORD };
    return (await request(server).post('/api/users/register').send(body)).status;
  });
  expect(await Promise.all(registrations)).toEqual(Array(50).fill(201));
});

test('a login that is refused because of a full queue does not count as failed', async () => {
  const failures = 3;
  const replica = await shop.startReplica({
    env: {
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_LOGIN: '100000/60',
      RATE_LIMIT_LOGIN_FAILURES: `${failures}/900`,
    },
    queue: { concurrency: 1, maxWaiting: 1 },
  });
  server.close();
  server = replica.app.listen(0);
  const responses = await Promise.all(Array.from({ length: 30 }, logIn));
  const refused = responses.filter(({ status }) => status !== 200);
  expect(refused.length).toBeGreaterThan(failures);
  for (const { status, body } of refused) expect([status, body.code]).toEqual([503, 'busy']);
  await logIn().expect(200);
});
