import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { basket, createProduct, placeOrder, stockOf } from './support/factories.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const ADDRESS = { name: 'Ada', line1: 'Main St 1', city: 'Bern', postal_code: '3000', country: 'CH' };
const errorsOf = async (body: object) => (await placeOrder(shop, 1, body)).body.errors;

describe('an optional field of an order', () => {
  test.each([
    { expected_total: null, shipping_address: null, note: null },
    { expected_total: '', shipping_address: ' ', note: ' \u00a0 ' },
  ])('counts as absent as %j', async (absent) => {
    const id = await createProduct(shop);
    const { status, body } = await placeOrder(shop, 1, { ...basket([id, 1]), ...absent });
    expect([status, body.order.shipping_address, body.order.note]).toEqual([201, null, null]);
  });

  test('counts as absent in an address too', async () => {
    const id = await createProduct(shop);
    const address = { ...ADDRESS, line2: '', region: null, phone: '  ' };
    const { body } = await placeOrder(shop, 1, { ...basket([id, 1]), shipping_address: address });
    expect(body.order.shipping_address).toEqual(ADDRESS);
  });
});

describe('a shipping address', () => {
  const errorsFor = (change: object) =>
    errorsOf({ ...basket([1, 1]), shipping_address: { ...ADDRESS, ...change } });

  test.each(['UK', 'EU', 'ZZ', 'XA', 'ch', 'CHE', 'XK', 'AN'])('refuses the country %s', async (country) => {
    expect(await errorsFor({ country })).toEqual(['Country must be an ISO 3166-1 alpha-2 code']);
  });

  test('needs a postal code in countries that have them', async () => {
    expect(await errorsFor({ postal_code: null })).toEqual(['Postal code is required']);
    const id = await createProduct(shop);
    const { postal_code: _, ...without } = { ...ADDRESS, city: 'Doha', country: 'QA' };
    const placed = await placeOrder(shop, 1, { ...basket([id, 1]), shipping_address: without });
    expect([placed.status, placed.body.order.shipping_address]).toEqual([201, without]);
  });

  test('gets all that is wrong reported at once', async () => {
    const { name: _name, postal_code: _code, ...rest } = ADDRESS;
    const errorsOfAddress = (shipping_address: unknown) => errorsOf({ ...basket([1, 1]), shipping_address });
    expect(await errorsOfAddress(rest)).toEqual(['Name is required', 'Postal code is required']);
    expect(await errorsOfAddress({ ...rest, zip: '3000' })).toEqual([
      'Name is required',
      'Unknown field: zip',
      'Postal code is required',
    ]);
    // Whether one is needed depends on the country.
    expect(await errorsOfAddress({ ...rest, country: 'UK' })).toEqual([
      'Name is required',
      'Country must be an ISO 3166-1 alpha-2 code',
    ]);
    expect(await errorsOfAddress({ ...rest, country: 'QA' })).toEqual(['Name is required']);
    expect(await errorsOfAddress({ ...rest, postal_code: 7 })).toEqual([
      'Name is required',
      'Postal code must be a string',
    ]);
    for (const address of ['x', [], 7]) expect(await errorsOfAddress(address)).toHaveLength(1);
  });

  test('counts characters, not UTF-16 units', async () => {
    const id = await createProduct(shop);
    const fits = {
      ...basket([id, 1]),
      note: '😀'.repeat(1000),
      shipping_address: { ...ADDRESS, city: '😀'.repeat(200) },
    };
    expect((await placeOrder(shop, 1, fits)).status).toBe(201);
    expect(await errorsOf({ ...basket([id, 1]), note: '😀'.repeat(1001) })).toEqual([
      'Note must be at most 1000 characters',
    ]);
  });
});

describe('the bounds of an order', () => {
  test('apply to the quantity after lines were merged', async () => {
    const id = await createProduct(shop, { stock: 30_000 });
    const refused = await placeOrder(shop, 1, basket([id, 6000], [id, 4001]));
    expect(refused.status).toBe(400);
    expect(refused.body.details).toEqual([
      {
        path: 'products.1.quantity',
        code: 'too_large',
        maximum: 10_000,
        message: 'Product 1: quantity must be at most 10000 in all lines of the product',
      },
    ]);
    expect((await placeOrder(shop, 1, basket([id, 6000], [id, 4000]))).status).toBe(201);
  });

  test('refuse a total of 2^53 minor units with 400; nothing is reserved, and the key replays it', async () => {
    const id = await createProduct(shop, { stock: 20_000, priceMinor: 999_999_999_999n });
    const key = { 'Idempotency-Key': 'huge' };
    const first = await placeOrder(shop, 1, basket([id, 9008]), key);
    expect([first.status, first.body.code]).toEqual([400, 'total_too_large']);
    expect(await stockOf(shop, id)).toBe(20_000);
    const again = await placeOrder(shop, 1, basket([id, 9008]), key);
    expect([again.status, again.text]).toEqual([400, first.text]);
    const largest = await placeOrder(shop, 1, basket([id, 9007]));
    expect(largest.status).toBe(201);
    const stored = await shop.db.order.findUniqueOrThrow({ where: { id: largest.body.order.id } });
    expect(stored.totalMinor).toBe(9_006_999_999_990_993n);
  });
});

describe('expected_total', () => {
  test('is compared after rounding to minor units', async () => {
    const id = await createProduct(shop, { priceMinor: 10n, stock: 50 });
    for (const expected_total of [0.1 + 0.2, 0.3, 0.304, 0.295])
      expect((await placeOrder(shop, 1, { ...basket([id, 3]), expected_total })).status).toBe(201);
    for (const expected_total of [0.2949, 0.305])
      expect((await placeOrder(shop, 1, { ...basket([id, 3]), expected_total })).body.code).toBe(
        'price_changed',
      );
  });

  test.each([-0.01, '0.30', 1e300])('refuses %j', async (expected_total) => {
    expect(await errorsOf({ ...basket([1, 1]), expected_total })).toHaveLength(1);
  });
});

describe('an Idempotency-Key', () => {
  test.each(['two words', 'ü', '', '"', 'x'.repeat(256)].filter((key) => key !== '"'))(
    'refuses %j',
    async (key) => {
      const encoded = Buffer.from(key).toString('latin1');
      expect((await placeOrder(shop, 1, basket([1, 1]), { 'Idempotency-Key': encoded })).status).toBe(400);
    },
  );

  test('is refused with another note, address or expected total', async () => {
    const id = await createProduct(shop, { stock: 50, priceMinor: 100n });
    const body = { ...basket([id, 1]), expected_total: 1, note: 'a', shipping_address: ADDRESS };
    const key = { 'Idempotency-Key': 'k'.repeat(255) };
    const first = await placeOrder(shop, 1, body, key);
    expect(first.status).toBe(201);
    const others = [
      { ...body, note: 'b' },
      { ...body, note: undefined },
      { ...body, shipping_address: { ...ADDRESS, phone: '1' } },
      { ...body, shipping_address: undefined },
      { ...body, expected_total: 2 },
      { ...body, expected_total: undefined },
    ];
    for (const other of others) {
      const refused = await placeOrder(shop, 1, other, key);
      expect([refused.status, refused.body.code]).toEqual([422, 'idempotency_mismatch']);
    }
    const same = {
      ...body,
      expected_total: 1.0000000001,
      note: ' a ',
      shipping_address: { ...ADDRESS, line2: '' },
    };
    expect((await placeOrder(shop, 1, same, key)).text).toBe(first.text);
  });
});
