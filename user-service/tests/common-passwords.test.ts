import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { mailedToken } from './support/mail-links.ts';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { register, registration } from './support/user.factory.ts';

let shop: TestShop;
let strict: Replica;
beforeAll(async () => {
  shop = await startTestShop();
  strict = await shop.startReplica({ env: { PASSWORD_REFUSE_COMMON: 'true' } });
});
afterAll(() => shop.close());

const COMMON = ['password123', 'PASSWORD123', '1234567890', 'Qwertyuiop'];
const tooCommon = (label: string) => [`${label} is too common, choose one that others do not use`];
const personal = (label: string) => [`${label} must not be the username or the email`];
const post = (path: string, body: object) => request(strict.app).post(`/api/users/${path}`).send(body);

describe('with PASSWORD_REFUSE_COMMON', () => {
  test.each(COMMON)('a registration with %s is refused', async (password) => {
    const response = await post('register', registration({ password })).expect(400);
    expect(response.body.errors).toEqual(tooCommon('Password'));
    expect(response.body.details).toMatchObject([{ path: 'password', code: 'too_common' }]);
  });

  test("a registration with the user's name or address as password is refused", async () => {
    const body = { username: 'Personal.Alice', email: 'Personal.Alice@example.com' };
    for (const password of ['personal.alice', 'PERSONAL.alice@example.com']) {
      const response = await post('register', { ...body, password }).expect(400);
      expect(response.body.errors).toEqual(personal('Password'));
      expect(response.body.details).toMatchObject([{ path: 'password', code: 'too_personal' }]);
    }
    await post('register', { ...body, password: 'not personal at all' }).expect(201);
  });

  test('a change and a reset are refused too; existing passwords still work', async () => {
    const { user, bearer } = await register(shop.app, { password: 'password123' });
    const login = { username: user.username, password: 'password123' };
    await post('login', login).expect(200);
    const change = (password: string) =>
      request(strict.app)
        .put('/api/users/me/password')
        .set('Authorization', bearer)
        .send({ current_password: 'password123', new_password: password })
        .expect(400);
    const token = await mailedToken(shop.db, user, 'reset_password');
    const reset = (password: string) =>
      post('password-reset/confirm', { token, new_password: password }).expect(400);
    for (const set of [change, reset]) {
      expect((await set('1234567890')).body.errors).toEqual(tooCommon('New password'));
      expect((await set(user.email)).body.errors).toEqual(personal('New password'));
    }
    await post('login', login).expect(200);
  });
});

test('without it they are accepted, as in the original', async () => {
  await register(shop.app, { password: 'password123' });
  await register(shop.app, { username: 'as-i-am-called', password: 'as-i-am-called' });
});
