import { randomUUID } from 'node:crypto';
import { afterAll } from '@jest/globals';
import { type AuthzRule, describeAuthorization } from '@shop/service-kit/testing/authz-table';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import { createProduct, productBody, seller } from './support/product.factory.ts';
import { startTestShop } from './support/test-shop.ts';

const shop = await startTestShop();
afterAll(() => shop.close());

const product = async () => (await createProduct(shop.app)).id;
const onProduct = (body?: () => object): AuthzRule => ({
  request: async () => ({
    params: { id: await product() },
    as: { owner: seller() },
    ...(body === undefined ? {} : { body: body() }),
  }),
  may: ['owner', 'admin'],
});
const items = async () => [{ product_id: await product(), quantity: 1 }];

describeAuthorization({
  app: shop.app,
  service: 'product-service',
  signIn: (user) => bearer(user === 'admin' ? 1 : 8, user === 'admin' ? 'admin' : 'customer'),
  rules: {
    'POST /api/products': {
      request: () => ({ body: productBody() }),
      may: ['buyer', 'owner', 'other', 'admin'],
    },
    'GET /api/products': { request: () => ({}) },
    'GET /api/products/categories': { request: () => ({}) },
    'POST /api/products/import': {
      request: () => ({ body: 'name,price\nLamp,1\n', headers: { 'content-type': 'text/csv' } }),
      may: ['buyer', 'owner', 'other', 'admin'],
    },
    'GET /api/products/export': { request: () => ({}) },
    'GET /api/products/:id': { request: async () => ({ params: { id: await product() } }) },
    'PUT /api/products/:id': onProduct(productBody),
    'PATCH /api/products/:id': onProduct(() => ({ price: 5 })),
    'DELETE /api/products/:id': onProduct(),
    'PUT /api/products/:id/stock': onProduct(() => ({ quantity: 1 })),
    'GET /api/products/:id/stock-movements': onProduct(),
    'POST /internal/reservations': {
      request: async () => ({ body: { reservation_id: randomUUID(), items: await items() } }),
    },
    'GET /internal/reservations': { request: () => ({ query: { older_than: 60 } }) },
    'GET /internal/reservations/standing': { request: () => ({}) },
    'POST /internal/reservations/confirm': { request: () => ({ body: { reservation_ids: [randomUUID()] } }) },
    'POST /internal/reservations/statuses': {
      request: () => ({ body: { reservation_ids: [randomUUID()] } }),
    },
    'POST /internal/reservations/:id/release': { request: () => ({ params: { id: randomUUID() } }) },
    'POST /internal/quotes': { request: async () => ({ body: { items: await items() } }) },
  },
});
