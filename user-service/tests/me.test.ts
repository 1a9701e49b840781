import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { me, register } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

describe('GET /api/users/me', () => {
  test('returns 401 without an access token', async () => {
    const response = await request(shop.app).get('/api/users/me').expect(401);
    expect(response.headers['www-authenticate']).toBe('Bearer');
  });

  test('refuses the token of a deleted account, even before its deletion is known', async () => {
    const { user, bearer } = await register(shop.app);
    await shop.db.user.delete({ where: { id: user.id } });
    const response = await me(shop.app, bearer).expect(401);
    expect(response.body.code).toBe('unauthenticated');
  });

  test('returns 304 until it changes', async () => {
    const { user, bearer } = await register(shop.app);
    const first = await me(shop.app, bearer).expect(200);
    expect(first.headers['cache-control']).toBe('private, no-cache');
    const again = () => me(shop.app, bearer).set('If-None-Match', first.headers['etag'] ?? '');
    expect((await again().expect(304)).text).toBe('');
    await request(shop.app)
      .put(`/api/users/${user.id}`)
      .set('Authorization', bearer)
      .send({ username: `${user.username}-renamed` })
      .expect(200);
    const changed = await again().expect(200);
    expect(changed.headers['etag']).not.toBe(first.headers['etag']);
  });
});
