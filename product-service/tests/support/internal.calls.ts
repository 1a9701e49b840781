import { TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import type { Express } from 'express';
import request from 'supertest';

export type Item = [productId: number, quantity: number];

export const token = createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', 'product-service');

export const items = (...lines: Item[]) => lines.map(([product_id, quantity]) => ({ product_id, quantity }));

/** The calls that order-service makes. */
export function createInternalCalls(app: () => Express) {
  const post = (path: string, body?: object) =>
    request(app()).post(path).set('Authorization', `Bearer ${token()}`).send(body);
  return {
    post,
    reserve: (id: string, ...lines: Item[]) =>
      post('/internal/reservations', { reservation_id: id, items: items(...lines) }),
    confirm: (...ids: string[]) => post('/internal/reservations/confirm', { reservation_ids: ids }),
    release: (id: string) => post(`/internal/reservations/${id}/release`),
  };
}
