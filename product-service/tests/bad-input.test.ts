import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { createProduct, readProduct, seller } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
let id: number;
beforeAll(async () => {
  shop = await startTestShop();
  ({ id } = await createProduct(shop.app));
});
afterAll(() => shop.close());
afterEach(async () => {
  expect(await shop.db.product.count()).toBe(1);
  expect(await readProduct(shop.app, id)).toMatchObject({ version: 1 });
});

const targets = () =>
  [
    ['post', '/api/products'],
    ['put', `/api/products/${id}`],
    ['patch', `/api/products/${id}`],
    ['put', `/api/products/${id}/stock`],
  ] as const;

/** Sends the bytes to every operation with a body. */
async function expectRefused(bytes: string | Buffer, status: number, headers: Record<string, string> = {}) {
  for (const [method, path] of targets()) {
    const call = request(shop.app)
      [method](path)
      .set('Authorization', seller())
      .set({ 'Content-Type': 'application/json', ...headers })
      // Sends buffers unchanged, because supertest would convert them to JSON.
      .serialize((value: unknown) => value as string);
    const response = await call.send(bytes);
    expect(response.status).toBe(status);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(JSON.parse(response.text)).toMatchObject({ status, error: expect.any(String) });
  }
}

const withField = (field: string) => `{"name":"Good name","price":1,"quantity":1,${field}}`;

describe('an invalid body', () => {
  test.each([
    ['malformed JSON', '{"name": "x'],
    ['a string', '"name"'],
    ['a number', '5'],
    ['null', 'null'],
    ['an array', '[]'],
    ['nothing', ''],
    ['an empty object', '{}'],
    ['depth 8,000', `${'{"a":'.repeat(8000)}1${'}'.repeat(8000)}`],
    ['depth 8,000 in a field', withField(`"category":${'['.repeat(8000)}${']'.repeat(8000)}`)],
    ['its own __proto__', withField('"__proto__":{"owner_id":1}')],
    ['an unknown field', withField('"role":"admin"')],
    ['wrong types', '{"name":{},"price":[],"quantity":true,"stock":"x","category":1}'],
    ['operators', '{"name":{"not":""},"price":{"gt":0},"quantity":{"increment":1}}'],
    ['numbers that are none', '{"name":"Good name","price":1e999,"quantity":1e999}'],
  ])('%s: 400', (_name, bytes) => expectRefused(bytes, 400));

  test.each(['name', 'description', 'category', 'sku', 'reason'])(
    '%s with NUL or half a character: 400',
    (field) =>
      Promise.all(
        ['a\\u0000b', '\\ud800abc'].map((value) =>
          expectRefused(`{"name":"Good name","price":1,"quantity":1,"${field}":"${value}"}`, 400),
        ),
      ),
  );

  test('200 kB: 413', () => expectRefused(withField(`"description":"${'x'.repeat(200_000)}"`), 413));
  test('200 kB in 1 kB of gzip: 413', () =>
    expectRefused(gzipSync(withField(`"description":"${'x'.repeat(200_000)}"`)), 413, {
      'Content-Encoding': 'gzip',
    }));
  test('a gzip body that is not gzip: 400', () =>
    expectRefused('this is not gzip', 400, { 'Content-Encoding': 'gzip' }));
  test('another type: 415', () => expectRefused('name=x', 415, { 'Content-Type': 'text/plain' }));
  test('another encoding: 415', () => expectRefused('{}', 415, { 'Content-Encoding': 'compress' }));
});

describe('an invalid address', () => {
  test.each([
    '/api/products/%E0%A4%A',
    '/api/products/1%00',
    '/api/products?category=%00',
    '/api/products?category=a&category=b',
    '/api/products?category=a&category=a',
    '/api/products?page=-1',
    '/api/products?page=1e15',
    '/api/products?__proto__=1&__proto__=2',
    `/api/products?cursor=${'A'.repeat(5000)}`,
  ])('%s: 400', async (path) => {
    await request(shop.app).get(path).expect(400);
  });

  test('and header are named in the message', async () => {
    const list = await request(shop.app).get('/api/products?cursor=&ids=&counts=true').expect(400);
    expect(list.body.errors).toEqual([
      'Unknown query parameter: counts',
      'cursor is required',
      'ids must be product ids, separated by commas',
    ]);
    const change = await request(shop.app)
      .patch(`/api/products/${id}`)
      .set({ Authorization: seller(), 'If-Match': 'x'.repeat(1001) })
      .send({ name: 'Another' })
      .expect(400);
    expect(change.body.errors).toEqual(['If-Match must be at most 1000 characters']);
  });

  test('returns 404 if it is unknown', async () => {
    await request(shop.app).get('/api/nothing').expect(404);
  });

  test.each([
    ['/api/products', 'POST, GET, HEAD'],
    ['/api/products/categories', 'GET, HEAD'],
    ['/api/products/1', 'GET, HEAD, PUT, PATCH, DELETE'],
    ['/api/products/1/stock', 'PUT'],
    ['/api/products/1/stock-movements', 'GET, HEAD'],
  ])('%s with a method it does not have: 405', async (path, allowed) => {
    const missing = ['post', 'put', 'patch', 'delete', 'get'].find(
      (method) => !allowed.includes(method.toUpperCase()),
    ) as 'post';
    const refused = await request(shop.app)[missing](path).expect(405);
    expect(refused.headers['allow']?.split(', ').sort()).toEqual(allowed.split(', ').sort());
  });
});
