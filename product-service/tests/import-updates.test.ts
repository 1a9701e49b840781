import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import request from 'supertest';
import { exportFile, importFile } from './support/catalogue-file.ts';
import { createProduct, readProduct, stranger } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());
afterEach(async () => {
  await shop.db.$executeRaw`TRUNCATE products, stock_movements, reservations RESTART IDENTITY CASCADE`;
});

const NDJSON = 'application/x-ndjson';
const AGAIN = 'This SKU appears earlier in the file';
const ROUNDED = 'A spreadsheet has rounded this SKU; format its column as text';
const stored = () =>
  shop.db.$queryRaw<Record<string, unknown>[]>`
    SELECT sku, name, price_minor::int AS price, stock FROM products WHERE deleted_at IS NULL ORDER BY id`;
const ledger = () =>
  shop.db.$queryRaw<Record<string, unknown>[]>`
    SELECT delta, reason, stock_after FROM stock_movements ORDER BY id`;

describe('a list of SKUs with any other columns updates existing products', () => {
  const LAMP = {
    sku: 'A',
    name: 'Lamp',
    price: 10,
    stock: 5,
    description: 'Bright',
    category: 'Light',
    image_url: '/a.png',
  };

  test.each([
    ['prices', 'sku,price\nA,12.50\n', 'text/csv', { price: 12.5 }],
    ['prices with a decimal comma', 'sku;price\nA;12,50\n', 'application/vnd.ms-excel', { price: 12.5 }],
    ['names', 'name,sku\nLampshade,A\n', 'text/csv', { name: 'Lampshade' }],
    ['categories', 'sku,category\nA,Shade\n', 'text/csv', { category: 'Shade' }],
    ['descriptions', 'sku,description\nA,Dim\n', 'text/csv', { description: 'Dim' }],
    ['images', 'sku,image_url\nA,/b.png\n', 'text/csv', { image_url: '/b.png' }],
    ['prices and images', 'sku,image_url,price\nA,,3\n', 'text/csv', { price: 3 }],
    ['prices as NDJSON', '{"sku":"A","price":12.5}\n', NDJSON, { price: 12.5 }],
  ])('%s', async (_what, file, type, change) => {
    const { id } = await createProduct(shop.app, LAMP);
    expect((await importFile(shop.app, file, { type })).body).toMatchObject({
      created: 0,
      updated: 1,
      failed: 0,
    });
    expect(await readProduct(shop.app, id)).toMatchObject({ ...LAMP, ...change, version: 2 });
  });

  test.each([
    ['sku,price\nNEW,1\n', 'Name is required: no product has this SKU'],
    ['sku,name\nNEW,Lamp\n', 'Price is required: no product has this SKU'],
    ['sku,stock\nNEW,1\n', 'Name is required; Price is required: no product has this SKU'],
  ])('and creates none: %j', async (file, message) => {
    expect((await importFile(shop.app, file)).body).toMatchObject({
      created: 0,
      errors: [{ line: 2, message }],
    });
    expect(await stored()).toEqual([]);
  });
});

describe('the stock of an existing product', () => {
  test.each([
    ['sku,stock\nA,9\n', { updated: 0, unchanged: 1, stock_kept: 1 }],
    ['sku,stock\nA,0\n', { updated: 0, unchanged: 1, stock_kept: 1 }],
    ['sku,stock\nA,5\n', { updated: 0, unchanged: 1, stock_kept: 0 }],
    ['sku,stock,name\nA,9,Lampshade\n', { updated: 1, unchanged: 0, stock_kept: 1 }],
    ['sku,stock,name\nA,,Lampshade\n', { updated: 1, unchanged: 0, stock_kept: 0 }],
  ])('is unchanged without stock=set: %j', async (file, counts) => {
    const { id } = await createProduct(shop.app, { sku: 'A', name: 'Lamp', stock: 5 });
    expect((await importFile(shop.app, file)).body).toMatchObject({ ...counts, created: 0, failed: 0 });
    expect((await readProduct(shop.app, id)).stock).toBe(5);
    expect(await ledger()).toEqual([{ delta: 5, reason: 'initial', stock_after: 5 }]);
  });

  test.each([
    ['sku,stock\nA,9\n', 9, { updated: 1, unchanged: 0 }, 4],
    ['sku;stock\nA;0\n', 0, { updated: 1, unchanged: 0 }, -5],
    ['sku,stock\nA,5\n', 5, { updated: 0, unchanged: 1 }, 0],
    ['sku,stock\nA,\n', 5, { updated: 0, unchanged: 1 }, 0],
  ])('is set with stock=set, without a new version: %j', async (file, stock, counts, delta) => {
    const { id, version } = await createProduct(shop.app, { sku: 'A', name: 'Lamp', stock: 5 });
    const { body } = await importFile(shop.app, file, { query: 'stock=set' });
    expect(body).toMatchObject({ ...counts, created: 0, failed: 0, stock_kept: 0 });
    expect(await readProduct(shop.app, id)).toMatchObject({ stock, version });
    const moved = delta === 0 ? [] : [{ delta, reason: 'import', stock_after: stock }];
    expect((await ledger()).slice(1)).toEqual(moved);
  });

  test.each(['csv', 'ndjson'])(
    'that was sold after an export does not come back with it: %s',
    async (format) => {
      const { id } = await createProduct(shop.app, { sku: 'A', name: 'Lamp', price: 2, stock: 10 });
      await createProduct(shop.app, { sku: 'B', name: 'Shade', stock: 4 });
      const { body: file } = await exportFile(shop.app, `format=${format}`);
      const sign = createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', 'product-service');
      await request(shop.app)
        .post('/internal/reservations')
        .set('Authorization', `Bearer ${sign()}`)
        .send({ reservation_id: randomUUID(), items: [{ product_id: id, quantity: 3 }] })
        .expect(200);
      const { body } = await importFile(shop.app, file, { type: format === 'csv' ? 'text/csv' : NDJSON });
      expect(body).toMatchObject({ created: 0, updated: 0, unchanged: 2, failed: 0, stock_kept: 1 });
      expect((await readProduct(shop.app, id)).stock).toBe(7);
    },
  );
});

describe('a second row with the same SKU fails', () => {
  test.each([
    ['A,Lamp,1', 'A,Lamp,2', 1],
    ['A,Lamp,1', ' A ,Lamp,1', 1],
    ['A,Lamp,1', '"A",Lamp,1', 1],
    ['\u212b,Lamp,1', '\u00c5,Lamp,1', 1],
    ['A,Lamp,free', 'A,Lamp,1', 0],
    ['A,La,1', 'A,Lamp,1', 0],
    ['A,Lamp,1,more', 'A,Lamp,1', 0],
    ['A,,', 'A,Lamp,1', 0],
  ])('even if the first was refused: %s, then %s', async (first, second, created) => {
    const { body } = await importFile(shop.app, `sku,name,price\n${first}\nB,Shade,1\n${second}\n`);
    expect(body).toMatchObject({ created: created + 1, updated: 0, failed: 2 - created });
    expect(body.errors.at(-1)).toEqual({ line: 4, message: AGAIN });
  });

  test('even for the SKU of another seller, or an ambiguous price', async () => {
    await createProduct(shop.app, { sku: 'THEIRS' }, stranger());
    const rows = 'sku;name;price\nTHEIRS;Mine;1\nB;Lamp;1.000\nTHEIRS;Mine;2\nB;Lamp;1\n';
    const { body } = await importFile(shop.app, rows);
    expect(body).toMatchObject({ created: 0, updated: 0, failed: 4 });
    expect(body.errors.slice(2)).toEqual([4, 5].map((line) => ({ line, message: AGAIN })));
  });

  test('but not if the SKUs differ in case, or rows have none', async () => {
    const { body } = await importFile(shop.app, 'sku,name,price\na,Lamp,1\nA,Lamp,1\n,Lamp,1\n,Lamp,1\n');
    expect(body).toMatchObject({ created: 4, failed: 0 });
  });
});

describe('a SKU rounded by a spreadsheet', () => {
  test.each(['8.80123E+12', '8,80123E+12', '1E+15', '4.00638E+12', '8.80123e+12'])(
    'is refused, unless a product has exactly it: %s',
    async (sku) => {
      const file = `sku;name;price\n${sku};Lamp;1\nB;Lamp;1\n`;
      const { body } = await importFile(shop.app, file);
      expect(body).toMatchObject({ created: 1, errors: [{ line: 2, message: ROUNDED }] });
      await createProduct(shop.app, { sku, name: 'Old', price: 5 });
      const again = await importFile(shop.app, file);
      expect(again.body).toMatchObject({ created: 0, updated: 1, unchanged: 1, failed: 0 });
      expect(await stored()).toContainEqual(expect.objectContaining({ sku, name: 'Lamp', price: 100 }));
    },
  );

  test.each(['8801234567890', '1E5', 'E+12', 'AB1E+12', '12.5E+3', '1.5E-3'])(
    'is not any SKU: %s',
    async (sku) => {
      expect((await importFile(shop.app, `sku,name,price\n${sku},Lamp,1\n`)).body).toMatchObject({
        created: 1,
      });
      expect(await stored()).toMatchObject([{ sku }]);
    },
  );
});
