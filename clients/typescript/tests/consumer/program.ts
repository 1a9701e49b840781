import { createShop, formatMoney, newIdempotencyKey, ShopError } from '@shop/client';

type Addresses = { userUrl: string; productUrl: string; orderUrl: string };

/** Registers, lists, orders (again under the same key), and cancels. */
export async function program(urls: Addresses, username: string): Promise<string[]> {
  const shop = createShop({ ...urls, retry: { tries: 5 } });
  const email = `${username}@example.com`;
  const user = await shop.session.register({ username, email, password: 'securepass123' });
  const said = [`hello ${user.username}`];
  const name = `Lamp of ${username}`;
  const lamp = await shop.products.create({ name, price: 39.9, stock: 3, category: 'Lighting' });
  for await (const product of shop.products.all({ owner_id: user.id })) said.push(`found ${product.name}`);
  const basket = { products: [{ product_id: lamp.id, quantity: 2 }], expected_total: 79.8 };
  const idempotencyKey = newIdempotencyKey();
  const order = await shop.orders.place(basket, { idempotencyKey });
  const again = await shop.orders.place(basket, { idempotencyKey });
  const times = again.id === order.id ? 'once' : 'twice';
  said.push(`ordered for ${formatMoney(order.total_amount, order.currency, 'en')}, ${times}`);
  try {
    await shop.orders.place(basket);
  } catch (error) {
    if (!(error instanceof ShopError) || error.code !== 'insufficient_stock') throw error;
    for (const line of error.details) said.push(`wanted ${line.requested}, there are ${line.available}`);
  }
  said.push((await shop.orders.cancel(order.id)).status);
  await shop.session.logout();
  return said;
}
