import { createShop, ShopError } from '@shop/client';

/** Compiles, because each of the marked lines does not. */
export async function refused(controller: AbortController): Promise<void> {
  const shop = createShop({ baseUrl: '' });
  // @ts-expect-error: the controller in place of its signal
  await shop.products.list({}, controller);
  // @ts-expect-error: the same
  await shop.orders.place({ products: [{ product_id: 1, quantity: 1 }] }, controller);
  // @ts-expect-error: no such filter
  await shop.products.list({ colour: 'red' });
  // @ts-expect-error: no such status
  await shop.orders.setStatus(1, 'lost');
  // @ts-expect-error: either one address or three
  createShop({ userUrl: '', productUrl: '' });
  try {
    await shop.products.get(1);
  } catch (error) {
    // @ts-expect-error: no such code
    if (error instanceof ShopError && error.code === 'sold_out') throw error;
  }
}
