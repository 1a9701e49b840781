import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { createInternalCalls, type Item, items } from './support/internal.calls.ts';
import { createProduct } from './support/product.factory.ts';
import { stockOf } from './support/stock.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const { post, reserve, release } = createInternalCalls(() => shop.app);
const make = async (stock: number) => (await createProduct(shop.app, { stock, price: 12.5 })).id;
const wanted = (id: string, ...lines: Item[]) => ({ reservation_id: id, items: items(...lines) });
const reserveAll = async (reservations: ReturnType<typeof wanted>[], wait = false) => {
  const response = await post('/internal/reservations', { reservations, wait });
  expect([response.status, response.body.currency]).toEqual([200, 'USD']);
  return response.body.reservations;
};

/** Keeps the row of a product locked while `act` runs. */
async function whileLocked<T>(productId: number, act: () => Promise<T>): Promise<T> {
  const other = new Client({ connectionString: shop.databaseUrl });
  await other.connect();
  try {
    await other.query(`BEGIN; SELECT FROM products WHERE id = ${productId} FOR UPDATE`);
    return await act();
  } finally {
    await other.end();
  }
}

describe('a list of reservations', () => {
  test('gets one result for each in the same order, and a refused one does not affect the others', async () => {
    const [a, b, c] = [await make(10), await make(1), await make(10)];
    const [held, short, unknown] = [randomUUID(), randomUUID(), randomUUID()];
    const [other, used, gone] = [randomUUID(), randomUUID(), randomUUID()];
    await reserve(used, [a, 2]);
    await release(gone);
    const responses = await reserveAll([
      wanted(held, [a, 3], [b, 1]),
      wanted(short, [a, 1], [b, 1]),
      wanted(unknown, [2_000_000_000, 1]),
      wanted(used, [a, 5]),
      wanted(gone, [a, 1]),
      wanted(other, [c, 4]),
    ]);
    expect(responses).toEqual([
      {
        id: held,
        status: 'HELD',
        lines: [
          expect.objectContaining({ product_id: a, quantity: 3 }),
          expect.objectContaining({ product_id: b, quantity: 1 }),
        ],
        refusal: null,
      },
      {
        id: short,
        status: 'RELEASED',
        lines: null,
        refusal: [{ product_id: b, requested: 1, available: 0 }],
      },
      {
        id: unknown,
        status: 'RELEASED',
        lines: null,
        refusal: [{ product_id: 2_000_000_000, requested: 1, available: null }],
      },
      { id: used, status: 'MISMATCH', lines: null, refusal: null },
      { id: gone, status: 'RELEASED', lines: null, refusal: null },
      {
        id: other,
        status: 'HELD',
        lines: [expect.objectContaining({ product_id: c, quantity: 4 })],
        refusal: null,
      },
    ]);
    expect(await Promise.all([a, b, c].map((id) => stockOf(shop, id)))).toEqual([5, 0, 6]);
  });

  test('gets the same results for the same ids, and reserves nothing twice', async () => {
    const a = await make(10);
    const list = [wanted(randomUUID(), [a, 3]), wanted(randomUUID(), [a, 4]), wanted(randomUUID(), [a, 4])];
    const first = await reserveAll(list);
    const again = await Promise.all([reserveAll(list), reserveAll(list.toReversed())]);
    expect(again[0]).toEqual(first);
    expect(again[1].toReversed()).toEqual(first);
    expect(await stockOf(shop, a)).toBe(3);
  });

  test('with ids that are concurrently reserved for other products: each id reserves once', async () => {
    const products = await Promise.all(Array.from({ length: 8 }, () => make(10)));
    const [id, ...others] = Array.from({ length: 9 }, () => randomUUID());
    const responses = await Promise.all(
      products.map((product, index) =>
        reserveAll([wanted(id ?? '', [product, 1]), wanted(others[index] ?? '', [product, 2])], true),
      ),
    );
    const statuses = responses.map((list: { status: string }[]) => list.map(({ status }) => status));
    expect(statuses.map(([first]) => first).toSorted()).toEqual(['HELD', ...Array(7).fill('MISMATCH')]);
    expect(statuses.map(([, second]) => second)).toEqual(Array(8).fill('HELD'));
  });

  test('in opposite orders does not deadlock', async () => {
    const products = await Promise.all(Array.from({ length: 5 }, () => make(1000)));
    const list = () => products.map((product) => wanted(randomUUID(), [product, 1]));
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, index) => reserveAll(index % 2 ? list() : list().toReversed(), true)),
    );
    expect(new Set(responses.flat().map(({ status }) => status))).toEqual(new Set(['HELD']));
    for (const product of products) expect(await stockOf(shop, product)).toBe(980);
  });

  test.each([
    { reservations: [] },
    { reservations: [wanted('x', [1, 1])] },
    {
      reservations: [
        wanted('8c5d2a55-6a4b-4d6e-9f0a-5a35ac0ae4f0', [1, 1]),
        wanted('8c5d2a55-6a4b-4d6e-9f0a-5a35ac0ae4f0', [1, 1]),
      ],
    },
    { reservations: Array.from({ length: 101 }, () => wanted(randomUUID(), [1, 1])) },
    {
      reservations: Array.from({ length: 11 }, () =>
        wanted(randomUUID(), ...Array.from({ length: 100 }, (_, i): Item => [i + 1, 1])),
      ),
    },
    { reservations: [wanted(randomUUID(), [1, 1])], reservation_id: randomUUID() },
  ])('is refused if it is invalid', async (body) => {
    expect((await post('/internal/reservations', body)).status).toBe(400);
  });
});

describe('a product locked by another transaction', () => {
  test.each([[false], [true]])('is BUSY, and only for its own buyers (wait: %s)', async (wait) => {
    const [locked, free] = [await make(10), await make(10)];
    const [blocked, both, fine] = [randomUUID(), randomUUID(), randomUUID()];
    const responses = await whileLocked(locked, () =>
      reserveAll(
        [wanted(blocked, [locked, 1]), wanted(both, [locked, 1], [free, 1]), wanted(fine, [free, 2])],
        wait,
      ),
    );
    expect(responses).toEqual([
      { id: blocked, status: 'BUSY', lines: null, refusal: null, busy_product_id: locked },
      { id: both, status: 'BUSY', lines: null, refusal: null, busy_product_id: locked },
      expect.objectContaining({ id: fine, status: 'HELD' }),
    ]);
    expect([await stockOf(shop, locked), await stockOf(shop, free)]).toEqual([10, 8]);
    expect(await shop.db.reservation.count({ where: { id: { in: [blocked, both] } } })).toBe(0);
    expect(await reserveAll([wanted(blocked, [locked, 1])])).toMatchObject([{ status: 'HELD' }]);
  });

  test('is waited for if it is free soon', async () => {
    const product = await make(10);
    let waiting: Promise<{ status: string }[]> | undefined;
    await whileLocked(product, async () => {
      waiting = reserveAll([wanted(randomUUID(), [product, 1])], true);
      await new Promise((resolve) => setTimeout(resolve, 150));
    });
    expect(await waiting).toMatchObject([{ status: 'HELD' }]);
  });

  test('makes a single reservation 503 product_busy; of three retries for one unit, one succeeds', async () => {
    const product = await make(1);
    const refused = await whileLocked(product, () => reserve(randomUUID(), [product, 1]));
    expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([
      503,
      'product_busy',
      '1',
    ]);
    const three: ReturnType<typeof reserve>[] = [];
    const responses: Promise<{ body: { status: string }; status: number }[]>[] = [];
    await whileLocked(product, async () => {
      for (let i = 0; i < 3; i++) three.push(reserve(randomUUID(), [product, 1]));
      responses.push(Promise.all(three));
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    const [got = []] = await Promise.all(responses);
    expect(got.map(({ body, status }) => [status, body.status]).toSorted()).toEqual([
      [200, 'HELD'],
      [200, 'RELEASED'],
      [200, 'RELEASED'],
    ]);
    expect(await stockOf(shop, product)).toBe(0);
  });

  test('does not occupy all connections, however many wait for it', async () => {
    const [locked, free] = [await make(100), await make(100)];
    const responses = await whileLocked(locked, async () => {
      const many = Promise.all(
        Array.from({ length: 30 }, () => reserveAll([wanted(randomUUID(), [locked, 1])], true)),
      );
      const others = [];
      for (let i = 0; i < 10; i++) others.push(...(await reserveAll([wanted(randomUUID(), [free, 1])])));
      return [others, (await many).flat()];
    });
    expect(responses.map((list) => [...new Set(list.map(({ status }) => status))])).toEqual([
      ['HELD'],
      ['BUSY'],
    ]);
  });
});
