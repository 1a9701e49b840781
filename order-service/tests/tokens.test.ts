import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BAD_ACCESS_TOKENS, signTestToken } from '@shop/service-kit/testing/bad-tokens';
import { createTestKey, type KeyServer, startKeyServer } from '@shop/service-kit/testing/key-server';
import { bearer, TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import { signAccessToken } from '@shop/service-kit/tokens/access-token';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import request from 'supertest';
import { basket, createProduct, placeOrder, stockOf } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
let product: number;
let order: number;
beforeAll(async () => {
  shop = await startTestShop();
  product = await createProduct(shop);
  order = (await placeOrder(shop, 7, basket([product, 1]))).body.order.id;
});
afterAll(() => shop.close());

const calls = () => [
  request(shop.url)
    .post('/api/orders')
    .send(basket([product, 1])),
  request(shop.url)
    .post('/api/orders/quote')
    .send(basket([product, 1])),
  request(shop.url).get('/api/orders'),
  request(shop.url).get('/api/orders/stats'),
  request(shop.url).get(`/api/orders/${order}`),
  request(shop.url).get(`/api/orders/${order}/history`),
  request(shop.url).put(`/api/orders/${order}/status`).send({ status: 'processing' }),
  request(shop.url).delete(`/api/orders/${order}`),
];
const untouched = async () => {
  expect(await stockOf(shop, product)).toBe(9);
  const { body } = await request(shop.url).get(`/api/orders/${order}`).set('Authorization', bearer(7));
  expect(body.order.status).toBe('pending');
};
const serviceToken = createServiceTokenSigner(TEST_SERVICE_SECRET, 'product-service', 'order-service');

describe('an access token', () => {
  test.each([...BAD_ACCESS_TOKENS, ['the type of a service token', serviceToken()] as const])(
    'with %s is refused by every call, and changes nothing',
    async (_what, token) => {
      for (const call of calls()) {
        const refused = await call.set('Authorization', `Bearer ${token}`).expect(401);
        expect(refused.headers['www-authenticate']).toBe('Bearer');
      }
      await untouched();
    },
  );

  test('of another user gets 404 for the order', async () => {
    for (const call of calls().slice(4)) await call.set('Authorization', bearer(8)).expect(404);
    await untouched();
  });
});

describe('with published keys', () => {
  const key = createTestKey('one');
  let keys: KeyServer;
  let reading: TestShop;
  beforeAll(async () => {
    keys = await startKeyServer(key);
    reading = await startTestShop({ JWT_SECRET_KEY: '', JWKS_URL: keys.url });
  });
  afterAll(async () => {
    await reading.close();
    await keys.stop();
  });

  const list = (token: string) =>
    request(reading.url).get('/api/orders').set('Authorization', `Bearer ${token}`);

  test('tokens of the private key are accepted, and tokens of a secret are refused', async () => {
    await list(signAccessToken({ id: 7, role: 'customer', sessionId: 's' }, key.signer, 60)).expect(200);
    await list(signTestToken()).expect(401);
    const ready = await request(reading.url).get('/ready').expect(200);
    expect(ready.body.checks).toMatchObject({ signing_keys: 'ok' });
  });

  test('tokens are verified while user-service is down', async () => {
    await keys.stop();
    await list(signAccessToken({ id: 7, role: 'customer', sessionId: 's' }, key.signer, 60)).expect(200);
  });
});

test('without any key the service is not ready, and returns 503 instead of 401', async () => {
  const lost = await startTestShop({ JWT_SECRET_KEY: '', JWKS_URL: 'http://127.0.0.1:1/jwks.json' });
  const { signer } = createTestKey('one');
  const response = await request(lost.url)
    .get('/api/orders')
    .set(
      'Authorization',
      `Bearer ${signAccessToken({ id: 7, role: 'customer', sessionId: 's' }, signer, 60)}`,
    )
    .expect(503);
  expect(response.headers['retry-after']).toBe('2');
  const ready = await request(lost.url).get('/ready').expect(503);
  expect(ready.body.checks).toMatchObject({ database: 'ok', signing_keys: 'down' });
  await lost.close();
});
