import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createProduct, productBody, readProduct, seller } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const send = (method: 'post' | 'put' | 'patch', path: string, body: object) =>
  request(shop.app)[method](path).set('Authorization', seller()).send(body);
const errorsOf = async (body: Record<string, unknown>) =>
  (await send('post', '/api/products', productBody(body)).expect(400)).body.errors;

const EMPTY = { description: '', category: 'General', sku: null, image_url: null };
const FULL = { description: 'd', category: 'Lamps', sku: 'FULL', image_url: '/img/1.png', stock: 7 };
const absent = (value: unknown) => Object.fromEntries(Object.keys(FULL).map((field) => [field, value]));

describe('an optional field that is null, empty or blank', () => {
  test.each([null, '', ' \u00a0 '])('%j counts as absent in a new product', async (value) => {
    expect(await createProduct(shop.app, absent(value))).toMatchObject({ ...EMPTY, stock: 0 });
  });

  test.each([null, '', ' \u00a0 '])('%j clears in PUT, and leaves the stock alone', async (value) => {
    const { id } = await createProduct(shop.app, { ...FULL, sku: `PUT ${JSON.stringify(value)}` });
    const body = { name: 'Other', price: 1, ...absent(value) };
    const { product } = (await send('put', `/api/products/${id}`, body).expect(200)).body;
    expect(product).toMatchObject({ ...EMPTY, stock: 7 });
    expect(await readProduct(shop.app, id)).toEqual(product);
  });

  test.each(Object.entries(EMPTY))('clears %s in PATCH, and nothing else', async (field, empty) => {
    const product = await createProduct(shop.app, { ...FULL, sku: `PATCH ${field}` });
    for (const value of [null, ' ']) {
      const changed = await send('patch', `/api/products/${product.id}`, { [field]: value }).expect(200);
      expect(changed.body.product).toMatchObject({ ...FULL, sku: product.sku, [field]: empty });
    }
  });

  test('changes nothing if it is only the stock', async () => {
    const { id } = await createProduct(shop.app);
    const refused = await send('patch', `/api/products/${id}`, { stock: null }).expect(400);
    expect(refused.body.errors).toEqual(['Give at least one field to change']);
  });

  test('is an error if the field is required', async () => {
    expect(await errorsOf({ name: ' ', price: null })).toEqual(['Name is required', 'Price is required']);
  });

  test('is shown as an empty description if an older release stored none', async () => {
    const { id } = await createProduct(shop.app);
    await shop.db.product.update({ where: { id }, data: { description: null } });
    const other = await shop.startReplica();
    const read = await request(other.app).get(`/api/products/${id}`);
    expect(read.body.product.description).toBe('');
  });
});

describe('texts', () => {
  test('are stored in NFC and trimmed', async () => {
    const product = await createProduct(shop.app, {
      name: '\u2003Cafe\u0301\u0085\n',
      description: ' A\u030angstro\u0308m ',
    });
    expect(product).toMatchObject({ name: 'Caf\u00e9', description: '\u00c5ngstr\u00f6m' });
  });

  test('are measured in characters', async () => {
    const fits = { name: '😀'.repeat(200), description: '😀'.repeat(5000), category: '😀'.repeat(100) };
    expect(await createProduct(shop.app, fits)).toMatchObject(fits);
    expect(await errorsOf({ description: '😀'.repeat(5001) })).toEqual([
      'Description must be at most 5000 characters',
    ]);
  });

  test('can be long and still be a cursor', async () => {
    const category = 'Long names';
    for (const end of ['a', 'b']) await createProduct(shop.app, { name: '😀'.repeat(199) + end, category });
    const url = `/api/products?category=${encodeURIComponent(category)}&sort=name&per_page=1`;
    const first = await request(shop.app).get(url).expect(200);
    const second = await request(shop.app).get(`${url}&cursor=${first.body.next_cursor}`).expect(200);
    expect(second.body.products[0].name.endsWith('b')).toBe(true);
  });
});

describe('a name', () => {
  test.each(['茶壶', '壶', 'Ёж', 'ab壶'])('may be as short as %s', async (name) => {
    expect((await createProduct(shop.app, { name })).name).toBe(name);
  });

  test.each(['ab', 'é', '12', '😀', 'ˇ-'])('needs three characters, unlike %s', async (name) => {
    expect(await errorsOf({ name })).toEqual(['Name must be at least 3 characters']);
  });
});

describe('an image address', () => {
  test.each(['http://a.example/x.png', 'HTTPS://a.example', '/img/a.png', '/'])(
    'may be %s',
    async (image_url) => {
      expect((await createProduct(shop.app, { image_url })).image_url).toBe(image_url);
    },
  );

  test.each([
    '//evil.example/a.png',
    '/\\evil.example',
    '/a b.png',
    'img/a.png',
    'ftp://a.example',
    'javascript:alert(1)',
    'data:image/png;base64,AA',
    'http://',
  ])('may not be %s', async (image_url) => {
    expect(await errorsOf({ image_url })).toEqual([
      'Image URL must be an http or https address, or a path that begins with /',
    ]);
  });
});

describe('a difference of the stock', () => {
  const add = (id: number, quantity: number, reason?: unknown) =>
    send('put', `/api/products/${id}/stock`, { quantity, reason });

  test('beyond 1,000,000,000: 400, and nothing changes', async () => {
    const { id } = await createProduct(shop.app, { stock: 999_999_999 });
    expect((await add(id, 2)).body).toMatchObject({ status: 400, code: 'stock_limit_exceeded' });
    expect((await add(id, 1).expect(200)).body.product.stock).toBe(1_000_000_000);
  });

  test('may only lower a stock that exceeds the limit after a return', async () => {
    const { id } = await createProduct(shop.app);
    await shop.db.product.update({ where: { id }, data: { stock: 2_000_000_000 } });
    expect((await add(id, 1_000_000_000)).body.code).toBe('stock_limit_exceeded');
    expect((await add(id, 1)).body.code).toBe('stock_limit_exceeded');
    expect((await add(id, -1).expect(200)).body.product.stock).toBe(1_999_999_999);
  });

  test.each([undefined, null, ' '])('has the reason "adjustment" if it is given as %j', async (reason) => {
    const { id } = await createProduct(shop.app, { stock: 0 });
    await add(id, 1, reason).expect(200);
    expect(await shop.db.stockMovement.findMany({ where: { productId: id } })).toMatchObject([
      { reason: 'adjustment' },
    ]);
  });
});

test('the API document describes the fields that PUT keeps, and the defaults of a new product', async () => {
  const { paths, components } = (await request(shop.app).get('/openapi.json').expect(200)).body;
  expect(paths['/api/products/{id}'].put.description).toMatch(/left out stay as they are/);
  const { NewProduct, ProductReplacement } = components.schemas;
  expect(NewProduct).toMatchObject({
    required: ['name', 'price'],
    properties: {
      stock: { type: ['integer', 'null'], default: 0 },
      category: { maxLength: 100, default: 'General' },
    },
  });
  expect(ProductReplacement).toMatchObject({ required: ['name', 'price'] });
});
