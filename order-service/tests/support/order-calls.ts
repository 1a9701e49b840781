import { bearer } from '@shop/service-kit/testing/test-tokens';
import request from 'supertest';
import { basket, createProduct, placeOrder } from './factories.ts';
import type { TestShop } from './test-shop.ts';

export const ADMIN = bearer(999, 'admin');

/** Calls of order-service, for a shop that is started later. */
export function createOrderCalls(shop: () => TestShop) {
  return {
    get: (path: string, token: string) => request(shop().url).get(path).set('Authorization', token),
    setStatus: (id: number, status: unknown, token: string) =>
      request(shop().url).put(`/api/orders/${id}/status`).set('Authorization', token).send({ status }),
    cancel: (id: number, token: string) =>
      request(shop().url).delete(`/api/orders/${id}`).set('Authorization', token),
    /** Places an order of a new product. */
    async order(userId: number, given: { ownerId?: number; quantity?: number } = {}) {
      const product = await createProduct(shop(), { stock: 100_000, priceMinor: 500n, ...given });
      const { body } = await placeOrder(shop(), userId, basket([product, given.quantity ?? 2]));
      return { id: body.order.id as number, product };
    },
  };
}
