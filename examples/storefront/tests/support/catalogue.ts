import { call } from '../../../../e2e/support/http.ts';
import { sleep } from '../../../../e2e/support/process.ts';
import type { Storefront } from './storefront.ts';

interface Product {
  id: number;
  sku: string;
  name: string;
  price: number;
  stock: number;
}

/** A product of the demo catalogue, as the shop has it now. */
export async function productBySku({ stack }: Storefront, sku: string): Promise<Product> {
  const { body } = await call('GET', `${stack.product.url}/api/products?q=${sku}`);
  const found = body['products'] as unknown as Product[];
  // The search also finds words that begin with parts of it.
  const product = found.find((known) => known.sku === sku);
  if (product === undefined) throw new Error(`There is no product ${sku}`);
  return product;
}

/** An access token of a user of `npm run seed`. */
async function tokenOf({ stack }: Storefront, username: string): Promise<string> {
  const credentials = { username, password: `${username}-password` };
  const { body } = await call('POST', `${stack.user.url}/api/users/login`, credentials);
  return (body['tokens'] as unknown as { access_token: string }).access_token;
}

/** Sends a request of the demo seller, as from another window. */
async function asSeller(shop: Storefront, method: string, path: string, body?: object) {
  const token = await tokenOf(shop, 'demo-seller');
  for (;;) {
    const response = await call(method, `${shop.stack.product.url}${path}`, body, { token });
    if (response.status < 300) return response.body;
    // A 503 of a busy machine does not count.
    if (response.status !== 503) throw new Error(response.text);
    await sleep(500);
  }
}

/** A further product, with five units. */
export async function createProduct(shop: Storefront, name: string, fields: object = {}): Promise<Product> {
  const product = { name, price: 10, stock: 5, ...fields };
  return (await asSeller(shop, 'POST', '/api/products', product))['product'] as unknown as Product;
}

export const changeProduct = (shop: Storefront, id: number, changes: object) =>
  asSeller(shop, 'PATCH', `/api/products/${id}`, changes);

/** Takes it out of the catalogue. */
export const deleteProduct = (shop: Storefront, id: number) =>
  asSeller(shop, 'DELETE', `/api/products/${id}`);
