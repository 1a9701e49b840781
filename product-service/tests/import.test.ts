import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { importFile } from './support/catalogue-file.ts';
import {
  admin,
  createProduct,
  type ProductJson,
  readProduct,
  seller,
  stranger,
} from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { VISIBLE_WITHIN, within } from './support/within.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const NDJSON = 'application/x-ndjson';
const toNdjson = (...rows: object[]) => rows.map((row) => JSON.stringify(row)).join('\n');
const imported = (...rows: object[]) => importFile(shop.app, toNdjson(...rows), { type: NDJSON });
const importedWithStock = (...rows: object[]) =>
  importFile(shop.app, toNdjson(...rows), { type: NDJSON, query: 'stock=set' });

async function bySku(sku: string): Promise<ProductJson> {
  const rows = await shop.db.$queryRaw<{ id: number }[]>`
    SELECT id FROM products WHERE sku = ${sku} AND deleted_at IS NULL`;
  return readProduct(shop.app, rows[0]?.id ?? 0);
}

async function ledgerOf({ id }: Pick<ProductJson, 'id'>) {
  const { body } = await request(shop.app)
    .get(`/api/products/${id}/stock-movements`)
    .set('Authorization', admin())
    .expect(200);
  return body.movements.map(({ delta, reason, stock_after }: Record<string, unknown>) => [
    delta,
    reason,
    stock_after,
  ]);
}

describe('a row', () => {
  test('with a new SKU creates a product of the importer, with stock and ledger', async () => {
    const { body } = await imported({ sku: 'NEW-1', name: 'Lamp', price: 9.99, stock: 5 });
    expect(body).toEqual({
      created: 1,
      updated: 0,
      unchanged: 0,
      failed: 0,
      stock_kept: 0,
      errors: [],
      errors_truncated: false,
    });
    const product = await bySku('NEW-1');
    expect(product).toMatchObject({ owner_id: 7, price: 9.99, stock: 5, category: 'General', version: 1 });
    expect(await ledgerOf(product)).toEqual([[5, 'initial', 5]]);
  });

  test('without a SKU creates a product each time', async () => {
    const row = { name: 'Nameless lamp', price: 1 };
    expect((await imported(row, row)).body).toMatchObject({ created: 2 });
    expect((await imported(row)).body).toMatchObject({ created: 1, updated: 0 });
  });

  test('with an existing SKU updates that product, with a new version and the difference in the ledger', async () => {
    const product = await createProduct(shop.app, { sku: 'UPD-1', stock: 10, description: 'old' });
    const row = { sku: 'UPD-1', name: 'New name', price: 2, stock: 4, category: 'Lamps' };
    expect((await importedWithStock(row)).body).toMatchObject({ created: 0, updated: 1, stock_kept: 0 });
    expect(await readProduct(shop.app, product.id)).toMatchObject({ ...row, version: 2, owner_id: 7 });
    expect(await ledgerOf(product)).toEqual([
      [-6, 'import', 4],
      [10, 'initial', 10],
    ]);
  });

  test('does not change fields without a column', async () => {
    const image_url = 'https://example.com/a.png';
    const product = await createProduct(shop.app, {
      sku: 'UPD-2',
      description: 'kept',
      category: 'A',
      image_url,
    });
    await imported({ sku: 'UPD-2', name: 'Only the name', price: 9.99 });
    expect(await readProduct(shop.app, product.id)).toMatchObject({
      name: 'Only the name',
      description: 'kept',
      category: 'A',
      image_url,
      stock: 10,
    });
    expect(await ledgerOf(product)).toHaveLength(1);
  });

  test('that changes nothing creates no new version', async () => {
    const product = await createProduct(shop.app, { sku: 'SAME-1', name: 'Same lamp', price: 3, stock: 2 });
    const row = { sku: 'SAME-1', name: 'Same lamp', price: 3, stock: 2 };
    expect((await imported(row)).body).toMatchObject({ created: 0, updated: 0, unchanged: 1, failed: 0 });
    expect(await readProduct(shop.app, product.id)).toEqual(product);
  });

  test('with the SKU of a deleted product creates a new one', async () => {
    const old = await createProduct(shop.app, { sku: 'DEL-1' });
    await request(shop.app).delete(`/api/products/${old.id}`).set('Authorization', seller()).expect(200);
    expect((await imported({ sku: 'DEL-1', name: 'Again', price: 1 })).body).toMatchObject({ created: 1 });
    expect((await bySku('DEL-1')).id).not.toBe(old.id);
  });

  test("with the SKU of another seller's product fails, except for an admin, who does not become its owner", async () => {
    const product = await createProduct(shop.app, { sku: 'MINE-1', name: 'Mine' });
    const file = toNdjson(
      { sku: 'THEIRS-1', name: 'Theirs', price: 1 },
      { sku: 'MINE-1', name: 'Stolen', price: 0 },
    );
    const { body } = await importFile(shop.app, file, { type: NDJSON, authorization: stranger() });
    expect(body).toMatchObject({ created: 1, updated: 0, failed: 1 });
    expect(body.errors).toEqual([{ line: 2, message: 'Another seller already uses this SKU' }]);
    expect(await readProduct(shop.app, product.id)).toEqual(product);

    await importFile(shop.app, file, { type: NDJSON, authorization: admin() }).expect(200);
    expect(await readProduct(shop.app, product.id)).toMatchObject({ name: 'Stolen', owner_id: 7 });
  });

  test('fails if its SKU has appeared earlier in the file, in the same batch or an earlier one', async () => {
    const filler = Array.from({ length: 600 }, (_, i) => ({ sku: `F-${i}`, name: 'Filler', price: 1 }));
    const { body } = await imported(
      { sku: 'TWICE', name: 'First', price: 1, stock: 3 },
      { sku: ' TWICE ', name: 'Second', price: 2, stock: 7 },
      { sku: 'REFUSED', name: 'X', price: -1 },
      { sku: 'REFUSED', name: 'Right this time', price: 1 },
      ...filler,
      { sku: 'TWICE', name: 'Third', price: 3 },
    );
    const message = 'This SKU appears earlier in the file';
    expect(body).toMatchObject({ created: 601, updated: 0, failed: 4 });
    expect(body.errors).toEqual([
      { line: 2, message },
      { line: 3, message: expect.stringContaining('Price must be a positive number') },
      // Refused too: it is unknown which of the two is right.
      { line: 4, message },
      { line: 605, message },
    ]);
    const product = await bySku('TWICE');
    expect(product).toMatchObject({ name: 'First', price: 1, stock: 3 });
    expect(await ledgerOf(product)).toEqual([[3, 'initial', 3]]);
  });
});

describe('dry_run=true', () => {
  test('returns the result of the import, and changes nothing', async () => {
    await createProduct(shop.app, { sku: 'DRY-1', name: 'Dry lamp' });
    await createProduct(shop.app, { sku: 'DRY-2' }, stranger());
    await createProduct(shop.app, { sku: 'DRY-5', name: 'Same lamp', stock: 4 });
    const before = await shop.db.$queryRaw`SELECT to_jsonb(p) FROM products p ORDER BY id`;
    const file = toNdjson(
      { sku: 'DRY-1', name: 'Wet lamp', price: 1 },
      { sku: 'DRY-2', name: 'Not mine', price: 1 },
      { sku: 'DRY-3', name: 'New', price: 1 },
      { name: 'No SKU', price: 1 },
      { name: 'X' },
      { sku: 'DRY-4', price: 3 },
      { sku: '1.5E+10', name: 'Rounded', price: 3 },
      { sku: 'DRY-5', name: 'Same lamp', stock: 9 },
      ...Array.from({ length: 600 }, (_, i) => ({ sku: `DRY-F${i}`, name: 'Filler', price: 1 })),
      { sku: 'DRY-3', name: 'New again', price: 1 },
    );
    const rehearsed = await importFile(shop.app, file, { type: NDJSON, isDryRun: true });
    expect(rehearsed.body).toMatchObject({
      created: 602,
      updated: 1,
      unchanged: 1,
      failed: 5,
      stock_kept: 1,
      errors: expect.arrayContaining([
        { line: 6, message: expect.stringContaining('no product has this SKU') },
      ]),
    });
    expect(await shop.db.$queryRaw`SELECT to_jsonb(p) FROM products p ORDER BY id`).toEqual(before);
    const real = await importFile(shop.app, file, { type: NDJSON });
    expect(real.body).toEqual(rehearsed.body);
    const again = await importFile(shop.app, file, { type: NDJSON, isDryRun: true });
    expect(again.body).toMatchObject({ created: 1, updated: 0, unchanged: 603, failed: 5, stock_kept: 1 });
  });
});

describe('an import', () => {
  test('is for admins only if only they may create products', async () => {
    const { app } = await shop.startReplica({ env: { PRODUCT_CREATION: 'admin' } });
    const file = 'name,price\nLamp,1\n';
    expect((await importFile(app, file)).body.code).toBe('forbidden');
    expect((await importFile(app, file, { authorization: admin() })).body).toMatchObject({ created: 1 });
  });

  test('is visible on every other replica within a second', async () => {
    const other = await shop.startReplica();
    const product = await createProduct(shop.app, { sku: 'SEEN-1', category: 'Seen' });
    const list = async () =>
      (await request(other.app).get('/api/products?category=Seen')).body.products.map(
        ({ name }: ProductJson) => name,
      );
    expect(await list()).toHaveLength(1);
    await readProduct(other.app, product.id);
    await imported(
      { sku: 'SEEN-1', name: 'Changed', price: 1 },
      { name: 'Added', price: 1, category: 'Seen' },
    );
    await within(VISIBLE_WITHIN, async () => {
      expect(await list()).toEqual(['Changed', 'Added']);
      expect((await readProduct(other.app, product.id)).name).toBe('Changed');
    });
  });

  test('has its own rate limit', async () => {
    const { app } = await shop.startReplica({
      env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_CATALOGUE_FILES: '1/60' },
    });
    const first = await importFile(app, 'name,price\nLamp,1\n');
    expect(first.headers['ratelimit-policy']).toContain('catalogue-files');
    expect((await importFile(app, 'name,price\nLamp,1\n')).status).toBe(429);
  });
});
