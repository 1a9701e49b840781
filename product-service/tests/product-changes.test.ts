import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { admin, createProduct, readProduct, seller, stranger } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const change = (method: 'put' | 'patch', id: number | string, body: object, authorization = seller()) =>
  request(shop.app)[method](`/api/products/${id}`).set('Authorization', authorization).send(body);
const remove = (id: number, authorization = seller()) =>
  request(shop.app).delete(`/api/products/${id}`).set('Authorization', authorization);

describe('PUT /api/products/:id', () => {
  test('keeps optional fields that are left out', async () => {
    const product = await createProduct(shop.app, {
      description: 'old',
      category: 'Old',
      sku: 'OLD-1',
      image_url: 'https://example.com/a.png',
      stock: 3,
    });
    const response = await change('put', product.id, { name: 'New name', price: 1.5 }).expect(200);
    expect(response.body).toEqual({
      message: 'Product updated successfully',
      product: {
        ...product,
        name: 'New name',
        price: 1.5,
        version: 2,
        updated_at: expect.any(String),
      },
    });
    expect(await readProduct(shop.app, product.id)).toEqual(response.body.product);
  });

  test('requires name and price', async () => {
    const { id } = await createProduct(shop.app);
    const refused = await change('put', id, { stock: 1 }).expect(400);
    expect(refused.body.errors).toEqual(['Name is required', 'Price is required']);
    expect(await readProduct(shop.app, id)).toMatchObject({ version: 1 });
  });

  test('may set the stock, and the ledger shows the difference', async () => {
    const { id } = await createProduct(shop.app, { stock: 10 });
    await change('put', id, { name: 'Counted', price: 1, stock: 4 }, admin()).expect(200);
    const movements = await shop.db.stockMovement.findMany({
      where: { productId: id },
      orderBy: { id: 'asc' },
    });
    expect(movements).toMatchObject([
      { delta: 10, stockAfter: 10 },
      { delta: -6, stockAfter: 4, reason: 'set', actor: 'user:1' },
    ]);
  });
});

describe('PATCH /api/products/:id', () => {
  test('changes the given fields and no others', async () => {
    const product = await createProduct(shop.app, { description: 'stays', sku: 'STAYS', stock: 5 });
    const response = await change('patch', product.id, { price: 2.25 }).expect(200);
    expect(response.body.product).toEqual({
      ...product,
      price: 2.25,
      version: 2,
      updated_at: expect.any(String),
    });
  });

  test('can change each field alone', async () => {
    const { id } = await createProduct(shop.app, { description: 'x', sku: 'EACH', image_url: 'http://a.b' });
    const changes = [
      { name: 'Other name' },
      { description: '' },
      { category: 'Other' },
      { sku: null },
      { image_url: null },
      { stock: 99 },
    ];
    for (const body of changes) {
      const response = await change('patch', id, body).expect(200);
      expect(response.body.product).toMatchObject(body);
    }
  });

  test('requires at least one field', async () => {
    const { id } = await createProduct(shop.app);
    const refused = await change('patch', id, {}).expect(400);
    expect(refused.body.errors).toEqual(['Give at least one field to change']);
  });

  test('writes no ledger row if the stock does not change', async () => {
    const { id } = await createProduct(shop.app, { stock: 5 });
    await change('patch', id, { stock: 5 }).expect(200);
    expect(await shop.db.stockMovement.count({ where: { productId: id } })).toBe(1);
  });

  test('refuses a SKU that another product has', async () => {
    await createProduct(shop.app, { sku: 'MINE' });
    const { id } = await createProduct(shop.app);
    const patched = await change('patch', id, { sku: 'MINE' }).expect(409);
    const replaced = await change('put', id, { name: 'Lamp', price: 1, sku: 'MINE' }).expect(409);
    expect([patched.body.code, replaced.body.code]).toEqual(['sku_taken', 'sku_taken']);
  });
});

describe('DELETE /api/products/:id', () => {
  test('removes a product everywhere, and frees its SKU', async () => {
    const product = await createProduct(shop.app, { sku: 'FREE-AGAIN', category: 'Only this' });
    const { id } = product;
    await readProduct(shop.app, id);
    const response = await remove(id).expect(200);
    expect(response.body).toEqual({ message: 'Product deleted successfully' });

    await request(shop.app).get(`/api/products/${id}`).expect(404);
    await change('put', id, { name: 'Back again', price: 1 }).expect(404);
    await change('patch', id, { price: 1 }).expect(404);
    await remove(id).expect(404);
    const stock = request(shop.app).put(`/api/products/${id}/stock`).set('Authorization', seller());
    await stock.send({ quantity: 1 }).expect(404);
    const ledger = request(shop.app).get(`/api/products/${id}/stock-movements`);
    await ledger.set('Authorization', seller()).expect(404);
    const list = await request(shop.app).get(`/api/products?ids=${id}`).expect(200);
    expect(list.body).toMatchObject({ products: [], total: 0 });
    const { body } = await request(shop.app).get('/api/products/categories').expect(200);
    expect(body.categories).not.toContain('Only this');

    await createProduct(shop.app, { sku: 'FREE-AGAIN' });
  });
});

describe('who may change a product', () => {
  const calls = [
    ['PUT', (id: number, who: string) => change('put', id, { name: 'Changed', price: 1 }, who)],
    ['PATCH', (id: number, who: string) => change('patch', id, { price: 1 }, who)],
    ['DELETE', (id: number, who: string) => remove(id, who)],
  ] as const;

  test.each(calls)('%s is allowed for the owner and admins', async (_method, call) => {
    const { id } = await createProduct(shop.app);
    const refused = await call(id, stranger()).expect(403);
    expect(refused.body.code).toBe('forbidden');
    expect(await readProduct(shop.app, id)).toMatchObject({ version: 1 });
    await call(id, admin()).expect(200);
  });

  test.each(calls)('%s of an unknown product returns 404 to every caller', async (_method, call) => {
    await call(2_000_000_000, stranger()).expect(404);
  });
});

describe('If-Match', () => {
  const calls = [
    ['PUT', (id: number) => change('put', id, { name: 'Changed', price: 1 })],
    ['PATCH', (id: number) => change('patch', id, { price: 1 })],
    ['DELETE', (id: number) => remove(id)],
  ] as const;

  test.each(calls)('%s is refused for an old version', async (_method, call) => {
    const { id } = await createProduct(shop.app);
    await change('patch', id, { price: 3 }).expect(200);
    for (const stale of [
      `"${id}-1-1"`,
      `"${id + 1}-2-2"`,
      '"nonsense"',
      'nonsense',
      `"${id}-9999999999-2"`,
    ]) {
      const refused = await call(id).set('If-Match', stale).expect(412);
      expect(refused.body.code).toBe('version_mismatch');
    }
    expect(await readProduct(shop.app, id)).toMatchObject({ price: 3, version: 2 });
  });

  test.each(calls)('%s succeeds for the current version', async (_method, call) => {
    for (const tags of [(id: number) => `"${id}-1-1"`, (id: number) => `"x", W/"${id}-1-1"`, () => '*']) {
      const { id } = await createProduct(shop.app);
      await call(id).set('If-Match', tags(id)).expect(200);
    }
  });

  test('accepts the ETag of the previous change', async () => {
    const made = await request(shop.app)
      .post('/api/products')
      .set('Authorization', seller())
      .send({ name: 'Lamp', price: 1, stock: 1 })
      .expect(201);
    const { id } = made.body.product;
    const steps = [
      () => change('put', id, { name: 'Changed', price: 2 }),
      () => change('patch', id, { price: 3 }),
      () => change('put', `${id}/stock`, { quantity: 1 }),
      () => change('patch', id, { stock: 5 }),
    ];
    let { etag = '' } = made.headers;
    for (const step of steps) ({ etag = '' } = (await step().set('If-Match', etag).expect(200)).headers);
    const read = await request(shop.app).get(`/api/products/${id}`).set('If-None-Match', etag);
    expect(read.status).toBe(304);
  });

  test('lets one of many concurrent changes of the same version succeed', async () => {
    const { id } = await createProduct(shop.app);
    const responses = await Promise.all(
      Array.from({ length: 10 }, (_, price) => change('patch', id, { price }).set('If-Match', `"${id}-1-1"`)),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(412)]);
  });

  test('from before an order still allows a change, but not of the stock', async () => {
    const { id, version } = await createProduct(shop.app, { stock: 5 });
    const { etag = '' } = (await request(shop.app).get(`/api/products/${id}`)).headers;
    const [{ id: reserved = '' } = {}] = await shop.db.$queryRaw<{ id: string }[]>`
      SELECT id FROM reserve_stock(${crypto.randomUUID()}::uuid, ${[id]}::int[], ${[1]}::int[], 'service:test')`;
    expect(reserved).not.toBe('');
    await change('patch', id, { stock: 9 }).set('If-Match', etag).expect(412);
    await change('put', id, { name: 'Changed', price: 2, stock: 9 }).set('If-Match', etag).expect(412);
    await change('patch', id, { price: 2 }).set('If-Match', etag).expect(200);
    await change('patch', id, { price: 3 }).set('If-Match', etag).expect(412);
    expect(await readProduct(shop.app, id)).toMatchObject({ stock: 4, price: 2, version: version + 1 });
  });

  test('does not reveal versions to users who may not change the product', async () => {
    const { id } = await createProduct(shop.app);
    await change('patch', id, { price: 1 }, stranger()).set('If-Match', '"stale"').expect(403);
  });
});
