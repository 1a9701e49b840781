import { bearer } from '@shop/service-kit/testing/test-tokens';
import { Client } from 'pg';
import request from 'supertest';
import type { TestShop } from './test-shop.ts';

let named = 0;

/** Inserts a product of `ownerId` directly into the database. */
export async function createProduct(
  { products }: TestShop,
  given: { priceMinor?: bigint; stock?: number; ownerId?: number } = {},
) {
  named += 1;
  const stock = given.stock ?? 10;
  const product = await products.db.product.create({
    data: {
      name: `Product ${named}`,
      priceMinor: given.priceMinor ?? 1050n,
      stock,
      category: 'General',
      ownerId: given.ownerId ?? 900,
      movements: { create: { delta: stock, reason: 'initial', actor: 'user:900', stockAfter: stock } },
    },
  });
  return product.id;
}

export async function stockOf({ products }: TestShop, id: number): Promise<number | undefined> {
  return (await products.db.product.findUnique({ where: { id } }))?.stock;
}

/** A request body for `[[productId, quantity], …]`. */
export const basket = (...lines: [number, number][]) => ({
  products: lines.map(([product_id, quantity]) => ({ product_id, quantity })),
});

export function placeOrder(
  { url }: TestShop,
  userId: number,
  body: object,
  headers: Record<string, string> = {},
) {
  return request(url)
    .post('/api/orders')
    .set({ Authorization: bearer(userId), ...headers })
    .send(body);
}

/** Keeps the row of a product locked while `act` runs. */
export async function whileLocked<T>(shop: TestShop, productId: number, act: () => Promise<T>): Promise<T> {
  const other = new Client({ connectionString: shop.products.databaseUrl });
  await other.connect();
  try {
    await other.query(`BEGIN; SELECT FROM products WHERE id = ${productId} FOR UPDATE`);
    return await act();
  } finally {
    await other.end();
  }
}
