import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Stack, startStack } from '../../../e2e/support/stack.ts';
import { createShop, memoryTokens } from '../src/index.ts';
import { failureOf, PASSWORD, recording, type Sent, signedIn, urlsOf } from './support/clients.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

/** A signed-in seller of one product with ten units. */
async function withProduct(settings: Parameters<typeof signedIn>[1]) {
  const { shop } = await signedIn(stack, settings);
  const { id } = await shop.products.create({ name: 'Lamp', price: 10, stock: 10 });
  return { shop, id, basket: { products: [{ product_id: id, quantity: 1 }] } };
}

describe('an order', () => {
  test('whose response is lost is sent again under its key, and placed once', async () => {
    let lost = 0;
    const wire = recording((response, { path, method }) => {
      if (method !== 'POST' || path !== '/api/orders' || ++lost > 2) return response;
      throw new TypeError('fetch failed');
    });
    const { shop, basket } = await withProduct({ fetch: wire.fetch });
    const order = await shop.orders.place(basket);
    const keys = wire.of('POST', '/api/orders').map(({ headers }) => headers.get('idempotency-key'));
    expect(keys).toHaveLength(3);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set(keys).size).toBe(1);
    expect((await shop.orders.list()).orders).toEqual([order]);
  });

  test('waits for a service that is unavailable, and goes through when it is back', async () => {
    let isBack = false;
    const wire = recording(async (response) => {
      if (response.status === 503 && !isBack) {
        isBack = true;
        await stack.product.start();
      }
      return response;
    });
    // The start of a service is part of one request here.
    const patience = { timeoutMs: 100_000, retry: { totalMs: 200_000 } };
    const { shop, basket } = await withProduct({ fetch: wire.fetch, ...patience });
    await stack.product.kill();
    const order = await shop.orders.place(basket);
    expect(order.status).toBe('pending');
    expect(wire.of('POST', '/api/orders').map(({ status }) => status)).toEqual(
      expect.arrayContaining([503, 201]),
    );
  });

  test('that is refused is not sent again', async () => {
    const wire = recording();
    const { shop, id } = await withProduct({ fetch: wire.fetch });
    const products = [{ product_id: id, quantity: 11 }];
    expect(await failureOf(shop.orders.place({ products }))).toMatchObject({ code: 'insufficient_stock' });
    expect(wire.of('POST', '/api/orders')).toHaveLength(1);
  });
});

describe('a rate limit', () => {
  /** Timers may be early by this. */
  const EARLY_MS = 5;

  /** No request of calls that were made one after the other was sent before the pause that the last response asked for was over. */
  function expectPauses(sent: readonly Sent[]): void {
    const tooEarly = sent.flatMap(({ status, retryAfter = 0, respondedAt }, index) => {
      const paused = (sent[index + 1]?.sentAt ?? Number.POSITIVE_INFINITY) - respondedAt;
      return status === 429 && paused < retryAfter * 1000 - EARLY_MS ? [{ retryAfter, paused }] : [];
    });
    expect(tooEarly).toEqual([]);
    expect(sent.filter(({ status, retryAfter = 0 }) => status === 429 && retryAfter >= 1)).not.toEqual([]);
  }

  test('is waited for by reads, as long as Retry-After says', async () => {
    await stack.order.restart({ RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_ORDER_READS: '1/5' });
    const wire = recording();
    const { shop } = await signedIn(stack, { fetch: wire.fetch });
    for (let count = 0; count < 2; count++) await shop.orders.list();
    const sent = wire.of('GET', '/api/orders');
    expectPauses(sent);
    expect(sent.filter(({ status }) => status === 200)).toHaveLength(2);
  });

  test('is waited for by orders, which keep their keys and are placed once each', async () => {
    await stack.order.restart({ RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_ORDER_CREATE: '1/5' });
    const wire = recording();
    const { shop, basket } = await withProduct({ fetch: wire.fetch });
    const orders = [await shop.orders.place(basket), await shop.orders.place(basket)];
    const sent = wire.of('POST', '/api/orders');
    expectPauses(sent);
    const keysOf = (wanted: number) =>
      sent.filter(({ status }) => status === wanted).map(({ headers }) => headers.get('idempotency-key'));
    expect(new Set(keysOf(201)).size).toBe(2);
    expect(keysOf(201)).toEqual(expect.arrayContaining(keysOf(429)));
    const placed = (await shop.orders.list()).orders.map(({ id }) => id);
    expect(placed).toEqual(orders.map(({ id }) => id).toReversed());
  });

  test('that lasts longer than a call may take is reported at once', async () => {
    await stack.order.restart({ RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_ORDER_READS: '1/3600' });
    const wire = recording();
    const { shop } = await signedIn(stack, { fetch: wire.fetch });
    await shop.orders.list();
    const error = await failureOf(shop.orders.list());
    expect(error).toMatchObject({ code: 'rate_limited', status: 429, requestId: expect.any(String) });
    expect((error as { retryAfter: number }).retryAfter).toBeGreaterThan(30);
    expect(wire.of('GET', '/api/orders')).toHaveLength(2);
    await stack.order.restart({ RATE_LIMIT_ENABLED: 'false' });
  });

  test('of a call that changes something is left to the caller', async () => {
    await stack.user.restart({ RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_LOGIN: '1/60' });
    const wire = recording();
    const shop = createShop({ ...urlsOf(stack), fetch: wire.fetch });
    const logins = [1, 2, 3].map(() =>
      failureOf(shop.session.login({ username: 'nobody', password: PASSWORD })),
    );
    expect(await Promise.all(logins)).toContainEqual(expect.objectContaining({ code: 'rate_limited' }));
    expect(wire.sent).toHaveLength(3);
    await stack.user.restart({ RATE_LIMIT_ENABLED: 'false' });
  });
});

describe('a shop that is unavailable', () => {
  const away = {
    userUrl: 'http://127.0.0.1:1',
    productUrl: 'http://127.0.0.1:1',
    orderUrl: 'http://127.0.0.1:1',
  };

  test('is tried a bounded number of times, then named a network failure', async () => {
    let tries = 0;
    const counted = (...request: Parameters<typeof fetch>) => {
      tries += 1;
      return fetch(...request);
    };
    const shop = createShop({ ...away, fetch: counted, retry: { tries: 2 } });
    const error = await failureOf(shop.products.list());
    expect(error).toMatchObject({ name: 'ShopError', code: 'network', status: 0, requestId: undefined });
    expect((error as Error).cause).toMatchObject({ name: 'TypeError' });
    expect(tries).toBe(2);
    await failureOf(shop.session.login({ username: 'alice', password: PASSWORD }));
    expect(tries).toBe(3);
  });

  test('is not tried beyond the time of a call', async () => {
    const shop = createShop({ ...away, retry: { tries: 100, totalMs: 0 } });
    expect(await failureOf(shop.products.list())).toMatchObject({ code: 'network' });
  });

  test('is not asked for new tokens beyond the time of a call', async () => {
    let tries = 0;
    const counted = async () => {
      tries += 1;
      throw new TypeError('fetch failed');
    };
    const tokens = memoryTokens({ access_token: 'a', refresh_token: 'r', expires_at: 0 });
    const shop = createShop({ ...away, tokens, fetch: counted, retry: { tries: 100, totalMs: 0 } });
    expect(await failureOf(shop.orders.stats())).toMatchObject({ code: 'network' });
    expect(tries).toBe(1);
  });

  test('that says nothing ends in a timeout', async () => {
    const shop = createShop({ ...urlsOf(stack), timeoutMs: 200, retry: { tries: 2 } });
    stack.product.pause();
    try {
      expect(await failureOf(shop.products.list())).toMatchObject({ code: 'timeout', status: 0 });
    } finally {
      stack.product.resume();
    }
  });

  test.each(['<html>Not found</html>', '', 'null', '"up"', '{"status":"up"}'])(
    'behind a page %j is named so',
    async (page) => {
      for (const status of [200, 404]) {
        const fetch = async () => new Response(page, { status, headers: { ETag: '"1"' } });
        const { products } = createShop({ baseUrl: '', fetch });
        expect(await failureOf(products.get(1))).toMatchObject({ code: 'unexpected_response', status });
      }
    },
  );

  test('behind a proxy that adds an ETag to every response is understood', async () => {
    const fetch = async () => new Response('{"message":"gone"}', { headers: { ETag: '"1"' } });
    expect(await createShop({ baseUrl: '', fetch }).products.delete(1)).toBe('gone');
  });
});

describe('a signal', () => {
  test('that was given before ends a call before it is sent', async () => {
    const wire = recording();
    const shop = createShop({ ...urlsOf(stack), fetch: wire.fetch });
    const reason = new Error('left the page');
    expect(await failureOf(shop.products.list({}, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(await failureOf(shop.session.me({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(wire.sent).toEqual([]);
  });

  test('ends a request on its way', async () => {
    const leaving = new AbortController();
    const shop = createShop(urlsOf(stack));
    stack.product.pause();
    try {
      const call = failureOf(shop.products.list({}, { signal: leaving.signal }));
      leaving.abort();
      expect(await call).toMatchObject({ name: 'AbortError' });
    } finally {
      stack.product.resume();
    }
  });

  test('ends the pause before a retry, and its timer', async () => {
    const [set, clear] = [jest.spyOn(globalThis, 'setTimeout'), jest.spyOn(globalThis, 'clearTimeout')];
    const leaving = new AbortController();
    const refused = () => {
      queueMicrotask(() => setTimeout(() => leaving.abort(), 10));
      return Promise.resolve(new Response('', { status: 503, headers: { 'Retry-After': '20' } }));
    };
    const shop = createShop({ baseUrl: '', fetch: refused });
    expect(await failureOf(shop.products.list({}, { signal: leaving.signal }))).toMatchObject({
      name: 'AbortError',
    });
    const timer = set.mock.results[set.mock.calls.findIndex(([, ms = 0]) => ms >= 20_000)]?.value;
    expect(timer).toBeDefined();
    expect(clear.mock.calls.some(([cleared]) => cleared === timer)).toBe(true);
    jest.restoreAllMocks();
  });

  test('ends a walk between its pages', async () => {
    const { shop } = await signedIn(stack);
    for (let n = 0; n < 3; n++)
      await shop.products.create({ name: `Cup ${n}`, price: 1, category: 'Aborted' });
    const leaving = new AbortController();
    const walk = (async () => {
      for await (const _ of shop.products.all(
        { category: 'Aborted', per_page: 1 },
        { signal: leaving.signal },
      ))
        leaving.abort();
    })();
    expect(await failureOf(walk)).toMatchObject({ name: 'AbortError' });
  });
});
