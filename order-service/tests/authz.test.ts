import { afterAll } from '@jest/globals';
import { type AuthzRule, describeAuthorization } from '@shop/service-kit/testing/authz-table';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import { basket, createProduct, placeOrder } from './support/factories.ts';
import { startTestShop } from './support/test-shop.ts';

const shop = await startTestShop();
afterAll(() => shop.close());

/** A buyer and a seller: both see the order, the buyer may cancel it, the seller may set its status. */
const [BUYER, SELLER] = [50, 51];
const as = { buyer: bearer(BUYER), owner: bearer(SELLER) };
const product = () => createProduct(shop, { ownerId: SELLER });
const order = async () =>
  (await placeOrder(shop, BUYER, basket([await product(), 1]))).body.order.id as number;
const seen: AuthzRule = {
  request: async () => ({ params: { id: await order() }, as }),
  may: ['buyer', 'owner', 'admin'],
  refused: { other: 404 },
};
const ordering: AuthzRule = { request: async () => ({ body: basket([await product(), 1]) }) };

describeAuthorization({
  app: shop.app,
  service: 'order-service',
  signIn: (user) => bearer(user === 'admin' ? 1 : 60, user === 'admin' ? 'admin' : 'customer'),
  rules: {
    'POST /api/orders': ordering,
    'POST /api/orders/quote': ordering,
    'GET /api/orders': { request: () => ({}) },
    'GET /api/orders/stats': { request: () => ({}) },
    'GET /api/orders/:id': seen,
    'GET /api/orders/:id/history': seen,
    'DELETE /api/orders/:id': { ...seen, may: ['buyer', 'admin'] },
    'PUT /api/orders/:id/status': {
      request: async () => ({ params: { id: await order() }, body: { status: 'processing' }, as }),
      may: ['owner', 'admin'],
      refused: { other: 404 },
    },
  },
});
