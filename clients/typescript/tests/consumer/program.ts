import { createShop, formatMoney, newIdempotencyKey, ShopError } from '@shop/client';

export interface Addresses {
  userUrl: string;
  productUrl: string;
  orderUrl: string;
}

/** Registers, lists, orders (again under the same key), and cancels. */
export async function program(urls: Addresses, username: string): Promise<string[]> {
  const shop = createShop({ ...urls, retry: { tries: 5 } });
  const user = await shop.session.register({
    username,
    email: `${username}@example.com`,
    password: 'securepass123',
  });
  const lamp = await shop.products.create({
    name: `Lamp of ${username}`,
    price: 39.9,
    stock: 3,
    category: 'Lighting',
  });
  const said = [`hello ${user.username}`];
  for await (const product of shop.products.all({ owner_id: user.id, sort: 'name' }))
    said.push(`found ${product.name}`);
  const basket = { products: [{ product_id: lamp.id, quantity: 2 }], expected_total: 79.8 };
  const idempotencyKey = newIdempotencyKey();
  const order = await shop.orders.place(basket, { idempotencyKey });
  const again = await shop.orders.place(basket, { idempotencyKey });
  said.push(
    `ordered for ${formatMoney(order.total_amount, order.currency, 'en')}, ${again.id === order.id ? 'once' : 'twice'}`,
  );
  try {
    await shop.orders.place({ products: [{ product_id: lamp.id, quantity: 2 }] });
  } catch (error) {
    if (!(error instanceof ShopError) || error.code !== 'insufficient_stock') throw error;
    for (const line of error.details) said.push(`wanted ${line.requested}, there are ${line.available}`);
  }
  said.push((await shop.orders.cancel(order.id)).status);
  await shop.session.logout();
  return said;
}
