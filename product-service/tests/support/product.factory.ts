import { bearer } from '@shop/service-kit/testing/test-tokens';
import type { Express } from 'express';
import request from 'supertest';

/** A product as clients see it. */
export interface ProductJson {
  id: number;
  name: string;
  description: string | null;
  price: number;
  currency: string;
  stock: number;
  category: string;
  sku: string | null;
  image_url: string | null;
  owner_id: number;
  version: number;
  created_at: string;
  updated_at: string;
}

/** The default seller. */
export const SELLER = 7;
export const seller = () => bearer(SELLER);
export const stranger = () => bearer(8);
export const admin = () => bearer(1, 'admin');

let made = 0;

/** A valid body of `POST /api/products`. */
export function productBody(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  made += 1;
  return { name: `Product ${made}`, price: 9.99, stock: 10, ...overrides };
}

/** Creates a product through the API. */
export async function createProduct(
  app: Express,
  overrides: Record<string, unknown> = {},
  authorization = seller(),
): Promise<ProductJson> {
  const response = await request(app)
    .post('/api/products')
    .set('Authorization', authorization)
    .send(productBody(overrides));
  if (response.status !== 201) throw new Error(`Product not created: ${response.text}`);
  return response.body.product;
}

export async function readProduct(app: Express, id: number): Promise<ProductJson> {
  const response = await request(app).get(`/api/products/${id}`).expect(200);
  return response.body.product;
}
