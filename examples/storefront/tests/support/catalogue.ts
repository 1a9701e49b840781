import { call } from '../../../../e2e/support/http.ts';
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

/** Changes a product as its seller does in another window. */
export async function changeProduct(shop: Storefront, id: number, changes: object): Promise<void> {
  const token = await tokenOf(shop, 'demo-seller');
  const { status, text } = await call('PATCH', `${shop.stack.product.url}/api/products/${id}`, changes, {
    token,
  });
  if (status !== 200) throw new Error(text);
}
