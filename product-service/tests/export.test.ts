import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { exportFile, importFile } from './support/catalogue-file.ts';
import { admin, createProduct, SELLER, seller, stranger } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());
beforeEach(async () => {
  await shop.db.$executeRaw`TRUNCATE products, stock_movements RESTART IDENTITY CASCADE`;
});

const HEADER = 'sku,name,description,price,stock,category,image_url\n';
const namesIn = (file: string) =>
  file
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).name);

async function fillShop() {
  const products = [
    { sku: 'A', name: 'Plain', price: 10, stock: 3 },
    { sku: 'B', name: 'Quote " and, comma', description: 'two\nlines\r\nand a "quote"', price: 0.1 },
    { sku: 'C', name: '=SUM(A1:A9)', description: '', price: 9_999_999.99, stock: 1_000_000_000 },
    { name: '+1; -2\t@x', description: '🦊 ünïcode\rCR', price: 0, category: '=cmd|’x’!A1' },
    { sku: '-1', name: "'=1+1", description: "''@x", category: "'tis", price: 1 },
    { sku: '007', name: '1e3', description: 'null', image_url: 'https://example.com/a,b"c.png', price: 5 },
  ];
  for (const product of products) await createProduct(shop.app, product);
}

describe('GET /api/products/export', () => {
  test('is CSV with the field names of JSON, in id order', async () => {
    await createProduct(shop.app, { sku: 'A', name: 'Lamp', price: 9.5, stock: 3 });
    await createProduct(shop.app, { name: 'Sheet', description: 'a "b"\nc', price: 1, category: 'X' });
    const { status, headers, body } = await exportFile(shop.app);
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': 'text/csv; charset=utf-8', 'cache-control': 'no-store' });
    expect(headers['content-disposition']).toMatch(/^attachment; filename="products-\d{4}-\d\d-\d\d\.csv"$/);
    expect(body).toBe(`${HEADER}A,Lamp,,9.5,3,General,\n,Sheet,"a ""b""\nc",1,10,X,\n`);
  });

  test('is NDJSON on request', async () => {
    await createProduct(shop.app, { sku: 'A', name: 'Lamp', price: 9.5, stock: 3 });
    const { headers, body } = await exportFile(shop.app, 'format=ndjson');
    expect(headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    expect(JSON.parse(body)).toEqual({
      sku: 'A',
      name: 'Lamp',
      description: '',
      price: 9.5,
      stock: 3,
      category: 'General',
      image_url: null,
    });
  });

  test.each(['csv', 'ndjson'])(
    'as %s comes back identical through an import into an empty shop',
    async (format) => {
      await fillShop();
      const { body } = await exportFile(shop.app, `format=${format}`);
      const before = await shop.db.$queryRaw`
      SELECT sku, name, COALESCE(description, ''), price_minor, stock, category, image_url FROM products ORDER BY id`;
      await shop.db.$executeRaw`TRUNCATE products, stock_movements CASCADE`;
      const type = format === 'csv' ? 'text/csv' : 'application/x-ndjson';
      expect((await importFile(shop.app, body, { type })).body).toMatchObject({ created: 6, failed: 0 });
      expect(
        await shop.db.$queryRaw`
        SELECT sku, name, COALESCE(description, ''), price_minor, stock, category, image_url FROM products ORDER BY id`,
      ).toEqual(before);
      expect((await exportFile(shop.app, `format=${format}`)).body).toBe(body);
    },
  );

  test.each(['=', '+', '-', '@'])(
    'as CSV marks a text that a spreadsheet would evaluate: %s',
    async (sign) => {
      const text = `${sign}HYPERLINK("http://x")`;
      const category = `'${sign}x`;
      await createProduct(shop.app, { sku: `${sign}1`, name: text, description: text, price: 1, category });
      const cell = `"'${sign}HYPERLINK(""http://x"")"`;
      expect((await exportFile(shop.app)).body).toBe(`${HEADER}'${sign}1,${cell},${cell},1,10,''${sign}x,\n`);
      expect(JSON.parse((await exportFile(shop.app, 'format=ndjson')).body)).toMatchObject({
        name: text,
        category,
      });
    },
  );

  test('of an empty shop is a header, or nothing', async () => {
    expect((await exportFile(shop.app)).body).toBe(HEADER);
    expect((await exportFile(shop.app, 'format=ndjson')).body).toBe('');
  });

  test('goes through all pages', async () => {
    const rows = Array.from({ length: 1001 }, (_, i) => `Product ${i},1`);
    await importFile(shop.app, `name,price\n${rows.join('\n')}`).expect(200);
    for (const count of [1001, 1000]) {
      for (const filter of ['', '&q=prod']) {
        const names = namesIn((await exportFile(shop.app, `format=ndjson${filter}`)).body);
        expect(names).toEqual(rows.slice(0, count).map((row) => row.split(',')[0]));
      }
      await shop.db.$executeRaw`UPDATE products SET deleted_at = now() WHERE name = 'Product 1000'`;
    }
  });

  test('has little of the file in memory at once', async () => {
    let longest = 0;
    const { app } = await shop.startReplica({
      wrap:
        (query) =>
        async <Rows>(...statement: Parameters<typeof query>) => {
          const rows = await query<Rows>(...statement);
          longest = Math.max(longest, JSON.stringify(rows).length);
          return rows;
        },
    });
    const row = (i: number) => JSON.stringify({ name: `Long ${i}`, price: 1, description: 'x'.repeat(5000) });
    const file = Array.from({ length: 400 }, (_, i) => row(i)).join('\n');
    await importFile(app, file, { type: 'application/x-ndjson' }).expect(200);
    longest = 0;
    expect((await exportFile(app)).body.length).toBeGreaterThan(400 * 5000);
    expect(longest).toBeLessThan(1_000_000);
  });

  test("contains the caller's products, with the filters of the list", async () => {
    await createProduct(shop.app, { name: 'Mine', category: 'A', price: 5, stock: 0 });
    await createProduct(shop.app, { name: 'Mine too', category: 'B', price: 50 });
    await createProduct(shop.app, { name: 'Theirs', category: 'A' }, stranger());
    const names = async (query: string, authorization?: string) =>
      namesIn((await exportFile(shop.app, `format=ndjson&${query}`, authorization)).body);
    expect(await names('')).toEqual(['Mine', 'Mine too']);
    expect(await names(`owner_id=${SELLER}`)).toEqual(['Mine', 'Mine too']);
    expect(await names('category=A')).toEqual(['Mine']);
    expect(await names('min_price=10')).toEqual(['Mine too']);
    expect(await names('in_stock=true')).toEqual(['Mine too']);
    expect(await names('q=too')).toEqual(['Mine too']);
    expect(await names('q=mine&category=a')).toEqual(['Mine']);
    expect(await names('q=th')).toEqual([]);
    expect(await names('q=%25')).toEqual([]);
    expect(await names('', admin())).toEqual(['Mine', 'Mine too', 'Theirs']);
    expect(await names('owner_id=8', admin())).toEqual(['Theirs']);
  });

  test("refuses other sellers' products, anonymous callers and unknown parameters", async () => {
    const ask = (query: string) =>
      request(shop.app).get(`/api/products/export?${query}`).set('Authorization', seller());
    expect((await ask('owner_id=8')).body.code).toBe('forbidden');
    expect((await ask('format=xlsx')).body.errors).toEqual(['format must be csv or ndjson']);
    expect((await ask('min_price=2&max_price=1')).body.errors).toEqual([
      'min_price must not be above max_price',
    ]);
    expect((await request(shop.app).get('/api/products/export')).status).toBe(401);
    expect((await request(shop.app).get('/api/products/import')).status).toBe(405);
  });
});
