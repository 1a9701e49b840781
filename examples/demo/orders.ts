import { type Shop, ShopError } from '../../clients/typescript/src/index.ts';
import { Failure } from '../../scripts/lib/failure.ts';
import { request } from './users.ts';

/** The steps to each status: statuses that the seller sets one after the other, or the buyer's cancellation. */
type Step = 'processing' | 'shipped' | 'delivered' | 'cancelled';
const STEPS: Record<'pending' | Step, readonly Step[]> = {
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

/** The codes where a step was taken already. */
const DONE: ReadonlySet<string> = new Set(['not_cancellable', 'invalid_transition']);
const ADDRESS = {
  name: 'Robin Sample',
  line1: 'Lindenstraße 12',
  city: 'Hamburg',
  postal_code: '20099',
  country: 'DE',
};

/**
 * Places orders of the demo buyer in every status, unless they exist.
 * @param productIds by SKU, all of this seller
 * @returns how many were placed
 */
export async function placeOrders(productIds: Map<string, number>, buyer: Shop, seller: Shop) {
  const stats = await request('The orders cannot be counted', () => buyer.orders.stats());
  if (stats.total_orders >= ORDERS.length) return 0;
  const ids: number[] = [];
  // One after the other, so that lists show them in this order. The keys make repetition harmless.
  for (const [index, [, quantities]] of ORDERS.entries()) {
    const products = Object.entries(quantities).map(([sku, quantity]) => {
      const productId = productIds.get(sku);
      if (productId === undefined) throw new Failure(`The demo seller has no product ${sku}.`);
      return { product_id: productId, quantity };
    });
    const options = { idempotencyKey: `demo-order-${index}` };
    const place = () => buyer.orders.place({ products, shipping_address: ADDRESS }, options);
    ids.push((await request('An order cannot be placed', place)).id);
  }
  await Promise.all(ORDERS.map(([target], index) => advance(ids[index] ?? 0, STEPS[target])));
  return ORDERS.length;

  async function advance(id: number, steps: readonly Step[]) {
    for (const status of steps)
      await request(`Order ${id} cannot be ${status}`, () =>
        (status === 'cancelled' ? buyer.orders.cancel(id) : seller.orders.setStatus(id, status)).catch(
          unlessDone,
        ),
      );
  }
}

/** An order that an earlier run took this step with. */
function unlessDone(error: unknown) {
  if (!(error instanceof ShopError) || !DONE.has(error.code)) throw error;
}
