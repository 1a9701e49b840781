import { Failure } from '../../scripts/lib/failure.ts';
import { callShop, reasonOfRefusal, type ShopRequest } from '../../scripts/lib/shop-client.ts';
import { type SignedIn, sayWait } from './users.ts';

/** The steps to each status: statuses that the seller sets one after the other, or the buyer's cancellation. */
const STEPS = {
  pending: [],
  processing: ['processing'],
  shipped: ['processing', 'shipped'],
  delivered: ['processing', 'shipped', 'delivered'],
  cancelled: ['cancelled'],
};

/** Oldest first: a status, and quantities by SKU. */
const ORDERS: [keyof typeof STEPS, Record<string, number>][] = [
  ['delivered', { 'DEMO-KIT-14': 4, 'DEMO-KIT-12': 1 }],
  ['delivered', { 'DEMO-BOK-01': 1, 'DEMO-GRD-01': 1, 'DEMO-GRD-07': 3 }],
  ['cancelled', { 'DEMO-CMP-01': 1 }],
  ['delivered', { 'DEMO-OUT-01': 1, 'DEMO-OUT-02': 2, 'DEMO-OUT-06': 1 }],
  ['delivered', { 'DEMO-TOY-14': 1, 'DEMO-TOY-01': 1 }],
  ['shipped', { 'DEMO-KEY-01': 1, 'DEMO-KEY-17': 1, 'DEMO-KEY-07': 1 }],
  ['cancelled', { 'DEMO-AUD-05': 1, 'DEMO-AUD-17': 1 }],
  ['shipped', { 'DEMO-HOM-01': 2 }],
  ['processing', { 'DEMO-STA-01': 3, 'DEMO-STA-04': 1, 'DEMO-STA-08': 1 }],
  ['processing', { 'DEMO-KIT-01': 1, 'DEMO-KIT-06': 1 }],
  ['pending', { 'DEMO-AUD-01': 1 }],
  ['pending', { 'DEMO-HOM-16': 2, 'DEMO-HOM-02': 1, 'DEMO-HOM-14': 1 }],
  ['pending', { 'DEMO-BOK-08': 1, 'DEMO-BOK-13': 1 }],
];

const ADDRESS = {
  name: 'Robin Sample',
  line1: 'Lindenstraße 12',
  city: 'Hamburg',
  postal_code: '20099',
  country: 'DE',
};

/**
 * Places orders of the demo buyer in every status, unless they exist.
 * @returns how many were placed
 */
export async function placeOrders({
  orders,
  productIds,
  buyer,
  seller,
}: {
  /** Address of order-service. */
  orders: string;
  /** By SKU. */
  productIds: Map<string, number>;
  buyer: SignedIn;
  /** Of all these products. */
  seller: SignedIn;
}): Promise<number> {
  const stats = await expectOk({ method: 'GET', url: `${orders}/api/orders/stats`, token: buyer.token });
  if ((stats.total_orders ?? 0) >= ORDERS.length) return 0;
  const ids: number[] = [];
  // One after the other, so that lists show them in this order. The keys make repetition harmless.
  for (const [index, [, quantities]] of ORDERS.entries()) {
    const products = Object.entries(quantities).map(([sku, quantity]) => {
      const productId = productIds.get(sku);
      if (productId === undefined) throw new Failure(`The demo seller has no product ${sku}.`);
      return { product_id: productId, quantity };
    });
    const { order } = await expectOk({
      url: `${orders}/api/orders`,
      token: buyer.token,
      headers: { 'Idempotency-Key': `demo-order-${index}` },
      body: { products, shipping_address: ADDRESS },
    });
    ids.push(order?.id ?? 0);
  }
  await Promise.all(ORDERS.map(([status], index) => advance(`${orders}/api/orders/${ids[index]}`, status)));
  return ORDERS.length;

  async function advance(url: string, target: keyof typeof STEPS) {
    for (const status of STEPS[target])
      await (status === 'cancelled'
        ? expectOk({ method: 'DELETE', url, token: buyer.token }, 'not_cancellable')
        : expectOk(
            { method: 'PUT', url: `${url}/status`, token: seller.token, body: { status } },
            'invalid_transition',
          ));
  }
}

/** @param done the error code if it was already done */
async function expectOk(request: Omit<ShopRequest, 'onWait'>, done?: string) {
  const response = await callShop({ ...request, onWait: sayWait });
  if (response.status >= 400 && (done === undefined || response.body.code !== done))
    throw new Failure(`${request.method ?? 'POST'} ${request.url} failed: ${reasonOfRefusal(response)}`);
  return response.body;
}
