import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Express } from 'express';
import request from 'supertest';
import { mailedToken } from './support/mail-links.ts';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { logIn, PASSWORD, type Registered, register } from './support/user.factory.ts';

let shop: TestShop;
let replica: Replica;
beforeAll(async () => {
  shop = await startTestShop();
  replica = await shop.startReplica();
});
afterAll(() => shop.close());

const me = (app: Express, bearer: string) => request(app).get('/api/users/me').set('Authorization', bearer);
/** Repeats a read until it is served from the cache. */
async function cachedMe(app: Express, bearer: string) {
  for (let i = 0; i < 100; i += 1) {
    const response = await me(app, bearer);
    if (response.headers['cache-status'] === 'me; hit') return response;
  }
  throw new Error('me is never cached');
}
/** Sends a change to one replica and reads from the other, which has `me` in its cache. */
async function shownAfter({ bearer }: Registered, change: (app: Express) => request.Test) {
  await cachedMe(replica.app, bearer);
  await change(shop.app).expect(200);
  return (await me(replica.app, bearer)).body.user;
}

test('me is cached with the same bytes and ETag on every replica, and returns 304 for a matching If-None-Match', async () => {
  const { bearer } = await register(shop.app);
  const first = await me(shop.app, bearer);
  const hit = await cachedMe(replica.app, bearer);
  expect([hit.text, hit.headers['etag']]).toEqual([first.text, first.headers['etag']]);
  const known = await me(replica.app, bearer).set('If-None-Match', String(hit.headers['etag']));
  expect([known.status, known.text]).toEqual([304, '']);
});

test('me shows each change made through another replica immediately', async () => {
  const registered = await register(shop.app);
  const { user, bearer } = registered;
  const path = `/api/users/${user.id}`;
  const renamed = await shownAfter(registered, (app) =>
    request(app).put(path).set('Authorization', bearer).send({ username: 'renamed-here' }),
  );
  expect(renamed.username).toBe('renamed-here');
  const later = await shownAfter(registered, (app) =>
    request(app)
      .put('/api/users/me/password')
      .set('Authorization', bearer)
      .send({ current_password: PASSWORD, new_password: 'another-securepass123' }),
  );
  expect(Date.parse(later.updated_at)).toBeGreaterThan(Date.parse(renamed.updated_at));
});

test('me shows after a reset of the password that the address is verified', async () => {
  const { user, bearer } = await register(shop.app);
  expect((await cachedMe(replica.app, bearer)).body.user.email_verified).toBe(false);
  const body = {
    token: await mailedToken(shop.db, user, 'reset_password'),
    new_password: 'another-securepass123',
  };
  await request(shop.app).post('/api/users/password-reset/confirm').send(body).expect(200);
  const { access_token } = await logIn(shop.app, user.username, body.new_password);
  const after = await me(replica.app, `Bearer ${access_token}`).expect(200);
  expect(after.body.user.email_verified).toBe(true);
});

test('me of a deleted account is not served from the cache', async () => {
  const { user, bearer } = await register(shop.app);
  await cachedMe(replica.app, bearer);
  await request(shop.app).delete(`/api/users/${user.id}`).set('Authorization', bearer).expect(200);
  await me(replica.app, bearer).expect(401);
});
