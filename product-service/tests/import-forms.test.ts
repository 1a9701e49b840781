import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { importFile } from './support/catalogue-file.ts';
import { seller } from './support/product.factory.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());
afterEach(async () => {
  await shop.db.$executeRaw`TRUNCATE products, stock_movements RESTART IDENTITY CASCADE`;
});

const CSV = 'sku,name,price\nA,Lamp,9.99\n';
const GERMAN = 'sku;name;price\r\nA;Lamp;9,99\r\n';
const NDJSON = '{"sku":"A","name":"Lamp","price":9.99}\n';
const stored = () =>
  shop.db.$queryRaw<Record<string, unknown>[]>`SELECT sku, name, price_minor::int AS price FROM products`;
const post = (query = '') =>
  request(shop.app).post(`/api/products/import?${query}`).set('Authorization', seller());

describe('a form of a browser', () => {
  test.each([
    ['catalogue.csv', 'text/csv', CSV],
    ['catalogue.csv', 'application/vnd.ms-excel', GERMAN],
    ['catalogue.csv', 'application/octet-stream', CSV],
    ['catalogue', 'application/octet-stream', CSV],
    ['catalogue.ndjson', 'application/octet-stream', NDJSON],
    ['catalogue.jsonl', 'application/json', NDJSON],
    ['catalogue.txt', 'application/x-ndjson', NDJSON],
  ])('has the file in its field file: %s as %s', async (filename, contentType, file) => {
    const { status, body } = await post()
      .field('note', 'before')
      .attach('other', Buffer.from('no catalogue'), 'other.csv')
      .attach('file', Buffer.from(file), { filename, contentType })
      .field('after', 'behind');
    expect({ status, created: body.created, failed: body.failed }).toEqual({
      status: 200,
      created: 1,
      failed: 0,
    });
    expect(await stored()).toEqual([{ sku: 'A', name: 'Lamp', price: 999 }]);
  });

  test('uses the query parameters', async () => {
    const { body } = await post('dry_run=true&unknown=ignore').attach(
      'file',
      Buffer.from('sku,name,price,colour\nA,Lamp,1,red\n'),
      'a.csv',
    );
    expect(body).toMatchObject({ created: 1, failed: 0 });
    expect(await stored()).toEqual([]);
  });

  test('is read up to its first file', async () => {
    const { body } = await post()
      .attach('file', Buffer.from(CSV), 'a.csv')
      .attach('file', Buffer.from('sku,name,price\nB,Lamp,1\n'), 'b.csv');
    expect(body).toMatchObject({ created: 1, failed: 0 });
    expect(await stored()).toMatchObject([{ sku: 'A' }]);
  });

  test.each([
    ['no file', 'multipart/form-data; boundary=x', '--x--\r\n', 'unreadable_file'],
    [
      'the file in another field',
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="data"; filename="a.csv"\r\n\r\nsku\r\n--x--\r\n',
      'unreadable_file',
    ],
    [
      'a text where the file belongs',
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nsku\r\n--x--\r\n',
      'unreadable_file',
    ],
    ['no boundary', 'multipart/form-data', CSV, 'malformed_request'],
    ['no form in it', 'multipart/form-data; boundary=x', CSV, 'malformed_request'],
  ])('with %s is refused', async (_what, type, body, code) => {
    const response = await post().set('Content-Type', type).send(body);
    expect({ status: response.status, code: response.body.code }).toEqual({ status: 400, code });
    expect(await stored()).toEqual([]);
  });

  test('that is cut off in its file reports what was written', async () => {
    const rows = Array.from(
      { length: 8000 },
      (_, i) => `S${i},A lamp with a long name for a lamp that it is,1`,
    );
    const body = [
      '--x',
      'Content-Disposition: form-data; name="file"; filename="a.csv"',
      '',
      'sku,name,price',
      ...rows,
    ].join('\r\n');
    const response = await post().set('Content-Type', 'multipart/form-data; boundary=x').send(body);
    expect(response.status).toBe(400);
    const { created } = response.body;
    expect(response.body).toMatchObject({ code: 'malformed_request', failed: 0, last_line: created + 1 });
    expect(created).toBeGreaterThan(0);
    expect(await stored()).toHaveLength(created);
  });
});

test.each([
  ['text/csv', CSV],
  ['text/csv; charset=utf-8', CSV],
  ['text/csv; header=present', CSV],
  ['TEXT/CSV', CSV],
  ['application/vnd.ms-excel', GERMAN],
  ['application/vnd.ms-excel', `\ufeff${GERMAN}`],
  ['application/x-ndjson', NDJSON],
])('a file may be sent as %s', async (type, file) => {
  expect((await importFile(shop.app, file, { type })).body).toMatchObject({ created: 1, failed: 0 });
  expect(await stored()).toEqual([{ sku: 'A', name: 'Lamp', price: 999 }]);
});
