import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { admin, createProduct, productBody, readProduct, SELLER, seller } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const post = (body: object, authorization = seller()) =>
  request(shop.app).post('/api/products').set('Authorization', authorization).send(body);
const change = (method: 'put' | 'patch', id: number, body: object, authorization = seller()) =>
  request(shop.app)[method](`/api/products/${id}`).set('Authorization', authorization).send(body);

describe('POST /api/products', () => {
  test('creates a product that can be read and found immediately', async () => {
    const created = await post(
      productBody({ name: 'iPhone 15 Pro', price: 999.99, stock: 50, category: 'Electronics' }),
    );
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      message: 'Product created successfully',
      product: {
        id: expect.any(Number),
        name: 'iPhone 15 Pro',
        description: '',
        price: 999.99,
        currency: 'USD',
        stock: 50,
        category: 'Electronics',
        sku: null,
        image_url: null,
        owner_id: SELLER,
        version: 1,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        updated_at: expect.stringMatching(/Z$/),
      },
    });
    const { product } = created.body;
    expect(created.headers['location']).toBe(`/api/products/${product.id}`);
    expect(await readProduct(shop.app, product.id)).toEqual(product);
    const list = await request(shop.app).get('/api/products').expect(200);
    expect(list.body.products).toContainEqual(product);
  });

  test('trims texts and sets defaults', async () => {
    const product = await createProduct(shop.app, { name: '  Lamp  ', stock: undefined, price: 0 });
    expect(product).toMatchObject({ name: 'Lamp', price: 0, stock: 0, category: 'General' });
  });

  test('accepts all fields at their limits', async () => {
    const fields = {
      name: 'n'.repeat(200),
      description: 'd'.repeat(5000),
      price: 9_999_999_999.99,
      stock: 1_000_000_000,
      category: 'c'.repeat(100),
      sku: 's'.repeat(64),
      image_url: `https://example.com/${'i'.repeat(1980)}`,
    };
    expect(await createProduct(shop.app, fields)).toMatchObject(fields);
  });

  test('starts the ledger with the initial stock', async () => {
    const { id } = await createProduct(shop.app, { stock: 12 });
    const movements = await shop.db.stockMovement.findMany({ where: { productId: id } });
    expect(movements).toMatchObject([
      { delta: 12, reason: 'initial', actor: `user:${SELLER}`, stockAfter: 12, reference: null },
    ]);
  });

  test('writes no ledger row without stock', async () => {
    const { id } = await createProduct(shop.app, { stock: 0 });
    expect(await shop.db.stockMovement.count({ where: { productId: id } })).toBe(0);
  });

  test('refuses a SKU that another product has', async () => {
    await createProduct(shop.app, { sku: 'TAKEN' });
    const refused = await post(productBody({ sku: 'TAKEN' }));
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({ code: 'sku_taken' });
  });

  test('accepts a SKU from one of many concurrent requests', async () => {
    const responses = await Promise.all(Array.from({ length: 8 }, () => post(productBody({ sku: 'RACE' }))));
    expect(responses.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
  });

  test('reports all issues together', async () => {
    const refused = await post({ name: 'ab', stock: -1, category: 5, image_url: 'ftp://x', sku: 5 });
    expect(refused.status).toBe(400);
    expect(refused.body.errors).toEqual([
      'Name must be at least 3 characters',
      'Price is required',
      'Category must be a string',
      'SKU must be a string',
      'Image URL must be an http or https address, or a path that begins with /',
      'Stock must be a non-negative integer',
    ]);
  });

  test.each([
    [{}, ['Name is required', 'Price is required']],
    [{ name: 'Lamp', price: -1 }, ['Price must be a positive number']],
    [{ name: 'Lamp', price: '5' }, ['Price must be a positive number']],
    [{ name: 'Lamp', price: 1.999 }, ['Price must have at most 2 decimals']],
    [{ name: 'Lamp', price: 10_000_000_000 }, ['Price must be at most 9999999999.99']],
    [{ name: 'Lamp', price: 1, stock: 1.5 }, ['Stock must be a non-negative integer']],
    [{ name: 'Lamp', price: 1, stock: '5' }, ['Stock must be a non-negative integer']],
    [{ name: 'Lamp', price: 1, stock: 2 ** 31 }, ['Stock must be at most 1000000000']],
    [{ name: 'Lamp', price: 1, owner_id: 1 }, ['Unknown field: owner_id']],
    [{ name: 'x'.repeat(201), price: 1 }, ['Name must be at most 200 characters']],
  ])('refuses %j', async (body, errors) => {
    const refused = await post(body);
    expect(refused.status).toBe(400);
    expect(refused.body).toMatchObject({ code: 'validation_failed', errors });
  });

  test('returns 401 to anonymous callers', async () => {
    const refused = await request(shop.app).post('/api/products').send(productBody());
    expect(refused.status).toBe(401);
    expect(refused.headers['www-authenticate']).toBe('Bearer');
  });

  test('is for admins only if so configured', async () => {
    const { app } = await shop.startReplica({ env: { PRODUCT_CREATION: 'admin' } });
    await request(app).post('/api/products').set('Authorization', seller()).send(productBody()).expect(403);
    await request(app).post('/api/products').set('Authorization', admin()).send(productBody()).expect(201);
  });

  test('uses the currency of the deployment', async () => {
    const { app } = await shop.startReplica({ env: { CURRENCY: 'KWD' } });
    expect(await createProduct(app, { price: 1.234 })).toMatchObject({ price: 1.234, currency: 'KWD' });
  });
});

describe('GET /api/products/:id', () => {
  test('returns 304 to a client that has this version', async () => {
    const { id } = await createProduct(shop.app);
    const first = await request(shop.app).get(`/api/products/${id}`).expect(200);
    expect(first.headers).toMatchObject({ etag: `"${id}-1-1"`, 'cache-control': 'no-cache' });
    const again = () =>
      request(shop.app)
        .get(`/api/products/${id}`)
        .set('If-None-Match', first.headers['etag'] ?? '');
    await again().expect(304);
    await change('patch', id, { price: 5 }).expect(200);
    await again().expect(200).expect('ETag', `"${id}-2-2"`);
  });

  test('returns 404 for an unknown id', async () => {
    const missing = await request(shop.app).get('/api/products/2147483647').expect(404);
    expect(missing.body).toMatchObject({ code: 'product_not_found', error: 'Product not found' });
  });

  test.each(['0', '-1', '1e3', '2147483648', '9'.repeat(40), 'abc', '1.5', '%00'])(
    'refuses the id %s',
    async (id) => {
      await request(shop.app).get(`/api/products/${id}`).expect(400);
    },
  );
});
