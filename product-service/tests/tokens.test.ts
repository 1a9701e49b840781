import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BAD_ACCESS_TOKENS, signTestToken } from '@shop/service-kit/testing/bad-tokens';
import { createTestKey, startKeyServer } from '@shop/service-kit/testing/key-server';
import { TEST_JWT_SECRET, TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import { signAccessToken } from '@shop/service-kit/tokens/access-token';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import request from 'supertest';
import { createProduct, productBody, readProduct, seller, stranger } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
let id: number;
beforeAll(async () => {
  shop = await startTestShop();
  ({ id } = await createProduct(shop.app));
});
afterAll(() => shop.close());

const callsForUsers = () => [
  request(shop.app).post('/api/products').send(productBody()),
  request(shop.app).put(`/api/products/${id}`).send(productBody()),
  request(shop.app).delete(`/api/products/${id}`),
  request(shop.app).put(`/api/products/${id}/stock`).send({ quantity: 1 }),
  request(shop.app).get(`/api/products/${id}/stock-movements`),
];
const serviceToken = createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', 'product-service');

describe('an access token', () => {
  test.each([...BAD_ACCESS_TOKENS, ['the type of a service token', serviceToken()] as const])(
    'with %s is refused wherever a user is needed, and changes nothing',
    async (_what, token) => {
      for (const call of callsForUsers()) {
        const refused = await call.set('Authorization', `Bearer ${token}`).expect(401);
        expect(refused.headers['www-authenticate']).toBe('Bearer');
      }
      expect(await readProduct(shop.app, id)).toMatchObject({ version: 1 });
    },
  );

  test('is not needed for reading, where an invalid one is ignored', async () => {
    await request(shop.app).get('/api/products').set('Authorization', 'Bearer nonsense').expect(200);
  });

  test("of another user gets 403 for the seller's product", async () => {
    for (const call of callsForUsers().slice(1)) await call.set('Authorization', stranger()).expect(403);
    expect(await readProduct(shop.app, id)).toMatchObject({ version: 1 });
  });
});

describe('/internal', () => {
  test.each([
    ['no token', () => ''],
    ['a user', seller],
    ['a user who says he is a service', () => `Bearer ${signTestToken({}, { typ: 'service' })}`],
    [
      'a service that calls another one',
      () => `Bearer ${createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', 'user-service')()}`,
    ],
    [
      'a token signed with the secret of access tokens',
      () => `Bearer ${createServiceTokenSigner(TEST_JWT_SECRET, 'order-service', 'product-service')()}`,
    ],
  ])('returns 401 for %s', async (_who, authorization) => {
    const body = { reservation_id: randomUUID(), items: [{ product_id: id, quantity: 1 }] };
    const call = request(shop.app).post('/internal/reservations').set('Authorization', authorization());
    await call.send(body).expect(401);
    expect(await readProduct(shop.app, id)).toMatchObject({ stock: 10 });
  });
});

test('with published keys, tokens of the private key are accepted and tokens of a secret are refused', async () => {
  const key = createTestKey('one');
  const keys = await startKeyServer(key);
  const { app } = await shop.startReplica({ env: { JWT_SECRET_KEY: '', JWKS_URL: keys.url } });
  const create = (token: string) =>
    request(app).post('/api/products').set('Authorization', `Bearer ${token}`).send(productBody());
  const user = { id: 7, role: 'customer', sessionId: 's' } as const;
  await create(signAccessToken(user, key.signer, 60)).expect(201);
  await create(signTestToken()).expect(401);
  const ready = await request(app).get('/ready').expect(200);
  expect(ready.body.checks).toMatchObject({ signing_keys: 'ok' });
  await keys.stop();
});
