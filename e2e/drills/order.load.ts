import { randomUUID } from 'node:crypto';
import { tokenOf } from '../support/catalogue.ts';
import { call, type Result } from '../support/http.ts';
import { sleep } from '../support/process.ts';

/** What buyers of a drill saw. */
export interface Seen {
  requests: number;
  /** Requests that got no response, or a 5xx. */
  failures: number;
  /** How many of them failed for which reason. */
  reasons: Record<string, number>;
  /** The longest time without an accepted order while requests failed, in seconds. */
  seconds: number;
  /** Orders that a 201 reported: they must exist. */
  accepted: number[];
  /** Orders that got no final response in all their attempts. */
  unsettled: number;
  /** Responses that no buyer should get, as texts. */
  unexpected: string[];
}

const PER_SECOND = 20;
const USERS = 20;
/** Milliseconds. */
const LIMIT = 4000;
const PATIENCE = 100_000;

interface Product {
  id: number;
}

type Outcome = Pick<Result, 'status' | 'body' | 'text'>;

const withoutResponse = (error: Error & { cause?: { code?: string } }): Outcome => ({
  status: 0,
  body: {},
  text: error.cause?.code ?? error.name,
});

function failureOf({ status, body, text }: Outcome): string | undefined {
  if (status === 0) return text;
  return status >= 500 ? `${status} ${body['code'] ?? ''}`.trim() : undefined;
}

/**
 * Orders at a steady rate, whatever becomes of the ones before, as buyers do who do not know each other. Each has an
 * idempotency key and is tried again until it has a final response.
 */
export function startOrders(url: () => string, products: Product['id'][]) {
  const seen: Seen = {
    requests: 0,
    failures: 0,
    reasons: {},
    seconds: 0,
    accepted: [],
    unsettled: 0,
    unexpected: [],
  };
  const running = new Set<Promise<void>>();
  /** All ids of orders that buyers ever got, also those that a restore has lost. */
  const given = new Set<number>();
  let failingSince: number | undefined;
  let over = false;
  let paused = false;

  const onFailure = (startedAt: number, reason: string) => {
    seen.failures += 1;
    seen.reasons[reason] = (seen.reasons[reason] ?? 0) + 1;
    failingSince ??= startedAt;
  };
  const onAccepted = (id: number, startedAt: number) => {
    if (given.has(id)) seen.unexpected.push(`the id ${id} was given out twice`);
    given.add(id);
    seen.accepted.push(id);
    if (failingSince === undefined || startedAt < failingSince) return;
    seen.seconds = Math.max(seen.seconds, (performance.now() - failingSince) / 1000);
    failingSince = undefined;
  };

  async function buy(user: number): Promise<void> {
    const product = products[Math.floor(Math.random() * products.length)] ?? 0;
    const body = { products: [{ product_id: product, quantity: 1 + (user % 3) }], note: randomUUID() };
    const options = { token: tokenOf(user), headers: { 'idempotency-key': randomUUID() }, limit: LIMIT };
    const end = performance.now() + PATIENCE;
    for (let attempt = 1; performance.now() < end; attempt += 1) {
      const startedAt = performance.now();
      seen.requests += 1;
      const response = await call('POST', `${url()}/api/orders`, body, options).catch(withoutResponse);
      if (response.status === 201) return onAccepted(Number(response.body['order']?.['id']), startedAt);
      const failure = failureOf(response);
      if (failure !== undefined) onFailure(startedAt, failure);
      else if (String(response.body['code']) !== 'idempotency_in_flight')
        return void seen.unexpected.push(`an order got ${response.status}: ${response.text}`);
      await sleep(Math.min(attempt * 100, 1000) * (0.5 + Math.random()));
    }
    seen.unsettled += 1;
  }

  const sending = (async () => {
    for (let n = 0; !over; n += 1) {
      await sleep(1000 / PER_SECOND);
      if (paused) continue;
      const order = buy(1 + (n % USERS));
      running.add(order);
      void order.finally(() => running.delete(order));
    }
  })();

  return {
    seen,
    /** Closes the shop for new orders, and waits for those that are under way. */
    async pause() {
      paused = true;
      await Promise.all(running);
    },
    resume() {
      paused = false;
    },
    /** Ends the load and waits until each order has its final response. */
    async stop(): Promise<Seen> {
      over = true;
      await sending;
      await Promise.all(running);
      return seen;
    },
  };
}

export type Orders = ReturnType<typeof startOrders>;
