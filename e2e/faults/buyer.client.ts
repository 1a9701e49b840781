import { randomUUID } from 'node:crypto';
import { signAccessToken } from '@shop/service-kit/tokens/access-token';
import { call } from '../support/http.ts';
import { sleep } from '../support/process.ts';
import { TOKEN_KEY } from '../support/stack.ts';
import {
  type Attempt,
  type Basket,
  createdIn,
  type History,
  isFinal,
  type Placement,
} from './client.history.ts';
import type { FaultShop } from './fault.shop.ts';
import type { Random } from './seeded.random.ts';

const SELLER = 900;
const ADMIN = 901;
/** Milliseconds that clients retry while all of them order, and that each retries alone afterwards. */
const RETRY_TIME = 5000;
const RETRY_TIME_ALONE = 20_000;

const tokenOf = (id: number, role: 'customer' | 'admin' = 'customer') =>
  signAccessToken({ id, role, sessionId: randomUUID() }, TOKEN_KEY, 3600);

interface BuyerOptions {
  shop: FaultShop;
  random: Random;
  userId: number;
  productIds: number[];
  history: History;
  /** Orders that a client has received. */
  orders: number[];
  clock: () => number;
}

/** A client that orders, cancels, changes statuses and restocks until it is stopped. */
export function createBuyer({ shop, random, userId, productIds, history, orders, clock }: BuyerOptions) {
  const token = tokenOf(userId);
  const adminToken = tokenOf(ADMIN, 'admin');

  async function attempt(method: string, url: string, body?: unknown, options = {}): Promise<Attempt> {
    const at = clock();
    const limit = random.int(1200, 4000);
    const response = await call(method, url, body, { token, limit, ...options }).catch(() => undefined);
    return { at, took: clock() - at, status: response?.status ?? 0, text: response?.text ?? '' };
  }

  function chooseBasket(): Basket {
    const lines = random.shuffle(productIds).slice(0, random.int(1, 3));
    const tooLarge = random.chance(0.08);
    const products = lines.map((product_id) => ({
      product_id,
      quantity: tooLarge ? random.int(500, 9000) : random.int(1, 4),
    }));
    if (random.chance(0.03)) products.push({ product_id: 2_000_000_000, quantity: 1 });
    const unexpected = random.chance(0.06) ? { expected_total: 0.01 } : {};
    return { products, ...unexpected, note: randomUUID() };
  }

  async function place(): Promise<void> {
    const key = random.chance(0.65) ? randomUUID() : null;
    const placement: Placement = {
      kind: 'place',
      userId,
      key,
      basket: chooseBasket(),
      attempts: [],
    };
    history.placements.push(placement);
    const concurrency = key !== null && random.chance(0.25) ? 2 : 1;
    await Promise.all(Array.from({ length: concurrency }, () => sendUntilFinal(placement)));
  }

  async function sendUntilFinal({ key, basket, attempts }: Placement, retryTime = RETRY_TIME): Promise<void> {
    const headers = key === null ? {} : { 'idempotency-key': key };
    const end = Date.now() + retryTime;
    while (Date.now() < end) {
      const response = await attempt('POST', `${shop.orderUrl}/api/orders`, basket, { headers });
      attempts.push(response);
      if (response.status === 201) orders.push(createdIn(response).order.id);
      // Without a key, a client that got no response does not retry.
      if (key === null || isFinal(response)) return;
      // Backoff with jitter.
      await sleep(random.int(20, 150) * Math.min(attempts.length, 10));
    }
  }

  async function change(): Promise<void> {
    if (orders.length === 0) return;
    const orderId = random.pick(orders);
    const to = random.pick(['cancelled', 'cancelled', 'cancelled', 'processing', 'shipped', 'delivered']);
    const byDelete = to === 'cancelled' && random.chance(0.7);
    const entry = { kind: 'change' as const, orderId, to, attempts: [] as Attempt[] };
    history.changes.push(entry);
    const url = `${shop.orderUrl}/api/orders/${orderId}`;
    const options = { token: adminToken };
    for (let tries = 0; tries < 3; tries++) {
      const response = byDelete
        ? await attempt('DELETE', url, undefined, options)
        : await attempt('PUT', `${url}/status`, { status: to }, options);
      entry.attempts.push(response);
      if (response.status !== 0 && response.status !== 503) return;
    }
  }

  async function restock(): Promise<void> {
    const url = `${random.pick(shop.productUrls)}/api/products/${random.pick(productIds)}/stock`;
    await attempt('PUT', url, { quantity: random.int(1, 8) }, { token: tokenOf(SELLER) });
  }

  return {
    /** Repeats placements without a final response. Every key must get one now. */
    async finish(): Promise<void> {
      const own = history.placements.filter((placement) => placement.userId === userId);
      for (const placement of own)
        if (placement.key !== null && !placement.attempts.some(isFinal))
          await sendUntilFinal(placement, RETRY_TIME_ALONE);
    },

    async run(isOver: () => boolean): Promise<void> {
      while (!isOver()) {
        const dice = random.next();
        if (dice < 0.68) await place();
        else if (dice < 0.94) await change();
        else await restock();
        await sleep(random.int(0, 60));
      }
    },
  };
}

/** The products that the clients of a round order. */
export async function createProducts(shop: FaultShop, random: Random): Promise<number[]> {
  const made: number[] = [];
  const count = random.int(2, 5);
  while (made.length < count) {
    const price = random.int(1, 99_999) / 100;
    const product = { name: `Product ${made.length}`, price, stock: random.int(4, 50) };
    const response = await call('POST', `${shop.productUrls[0]}/api/products`, product, {
      token: tokenOf(SELLER),
    });
    if (response.status !== 201) throw new Error(`no product: ${response.text}`);
    made.push(Number(response.body['product']?.['id']));
  }
  return made;
}
