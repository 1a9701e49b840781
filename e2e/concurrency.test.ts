import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { times } from '@shop/service-kit/testing/depth';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import { addProducts, stockOf, tokenOf } from './support/catalogue.ts';
import { call, type Result } from './support/http.ts';
import { sleep } from './support/process.ts';
import { SERVICE_SECRET, type Stack, startStack, testServer } from './support/stack.ts';

const RUSHES = times(3, 8);

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    only: ['product-service', 'order-service'],
  });
});
afterAll(() => stack.close());

function order(
  userId: number,
  lines: [number, number][],
  headers: Record<string, string> = {},
): Promise<Result> {
  const products = lines.map(([product_id, quantity]) => ({ product_id, quantity }));
  return call('POST', `${stack.order.url}/api/orders`, { products }, { token: tokenOf(userId), headers });
}

/**
 * Repeats an order while it gets 503, which means that nothing was ordered. The key ensures that there is one order.
 * @returns the final response
 */
async function orderPatiently(userId: number, lines: [number, number][]): Promise<Result> {
  const headers = { 'Idempotency-Key': randomUUID() };
  for (;;) {
    const response = await order(userId, lines, headers);
    const isFinal = response.status !== 503 && String(response.body['code']) !== 'idempotency_in_flight';
    if (isFinal) return response;
    await sleep(100 + Math.random() * 400);
  }
}

/** Counts of the outcomes: the status, or the code of an error. */
function outcomes(responses: Result[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of responses) {
    const outcome = status === 201 ? '201' : `${status} ${String(body['code'])}`;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

describe('a rush on a few units', () => {
  test(`300 buyers for 25 units, ${RUSHES} times: 25 get one each time, the others are refused`, async () => {
    const products = await addProducts(stack.product.databaseUrl, RUSHES, 25);
    for (const product of products) {
      const buyers = Array.from({ length: 300 }, (_, i) => orderPatiently(i + 1, [[product, 1]]));
      expect(outcomes(await Promise.all(buyers))).toEqual({ 201: 25, '400 insufficient_stock': 275 });
      expect(await stockOf(stack.product.databaseUrl, product)).toEqual({ stock: 0, ledger: 0 });
    }
  });
});

describe('the same products in opposite orders', () => {
  test('32 buyers of 5 hot products, whose baskets are sorted: the stock is what was sold', async () => {
    const products = await addProducts(stack.product.databaseUrl, 5, 10_000);
    const lines = products.map((product): [number, number] => [product, 1]);
    const clients = Array.from({ length: 32 }, async (_, client) => {
      const responses = [];
      for (let i = 0; i < 10; i++)
        responses.push(await orderPatiently(client + 1, client % 2 ? lines : lines.toReversed()));
      return responses;
    });
    expect(outcomes((await Promise.all(clients)).flat())).toEqual({ 201: 320 });
    for (const product of products) {
      expect(await stockOf(stack.product.databaseUrl, product)).toEqual({ stock: 9680, ledger: 9680 });
    }
  });

  test('lists of reservations as they are sent, to two replicas of product-service: no deadlock', async () => {
    const products = await addProducts(stack.product.databaseUrl, 5, 10_000);
    const token = createServiceTokenSigner(SERVICE_SECRET, 'order-service', 'product-service')();
    const replica = await stack.product.replicate();
    const reserve = async (client: number) => {
      const list = (client % 2 ? products : products.toReversed()).map((product) => ({
        reservation_id: randomUUID(),
        items: [{ product_id: product, quantity: 1 }],
      }));
      const { url } = client % 4 < 2 ? stack.product : replica;
      const body = { reservations: list, wait: true };
      const response = await call('POST', `${url}/internal/reservations`, body, { token, limit: 30_000 });
      return response.body['reservations'] as unknown as { status: string }[] | undefined;
    };
    const clients = Array.from({ length: 16 }, async (_, client) => {
      const results = [];
      for (let i = 0; i < 10; i++) results.push(await reserve(client));
      return results;
    });
    const statuses = (await Promise.all(clients))
      .flat()
      .flatMap((list) => list?.map(({ status }) => status) ?? ['none']);
    await replica.stop();
    // On a slow machine, a request that waits too long gets BUSY. A deadlock would be an error.
    const held = statuses.filter((status) => status === 'HELD').length;
    expect(statuses.filter((status) => status !== 'HELD' && status !== 'BUSY')).toEqual([]);
    const sold = await Promise.all(products.map((product) => stockOf(stack.product.databaseUrl, product)));
    expect(sold.reduce((sum, { stock }) => sum + 10_000 - stock, 0)).toBe(held);
  });
});

describe('one Idempotency-Key in 100 concurrent requests', () => {
  test('makes one order, and every later request gets its bytes', async () => {
    const [product] = await addProducts(stack.product.databaseUrl, 1, 100);
    const send = (quantity: number) => order(7, [[product ?? 0, quantity]], { 'Idempotency-Key': 'hundred' });
    const responses = await Promise.all(Array.from({ length: 100 }, () => send(1)));
    const texts = new Set(responses.filter(({ status }) => status === 201).map(({ text }) => text));
    expect(texts.size).toBe(1);
    expect(Object.keys(outcomes(responses)).toSorted()).toEqual(
      ['201', '409 idempotency_in_flight'].filter((outcome) => outcome in outcomes(responses)),
    );
    const replay = await send(1);
    expect([replay.status, texts.has(replay.text), replay.headers.get('idempotent-replayed')]).toEqual([
      201,
      true,
      'true',
    ]);
    expect((await send(2)).status).toBe(422);
    expect((await stockOf(stack.product.databaseUrl, product ?? 0)).stock).toBe(99);
  });
});
