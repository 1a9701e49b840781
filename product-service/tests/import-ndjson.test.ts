import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { importFile, storedProducts } from './support/catalogue-file.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());
afterEach(async () => {
  await shop.db.$executeRaw`TRUNCATE products, stock_movements RESTART IDENTITY CASCADE`;
});

describe('an NDJSON file', () => {
  const ndjson = (file: string | Buffer) => importFile(shop.app, file, { type: 'application/x-ndjson' });

  test('has the fields of POST /api/products in each line', async () => {
    const file =
      '\ufeff{"sku":"A","name":"Lamp","price":9.99,"stock":5}\r\n\n  {"name":"Ünïcode 🦊","price":0,"description":""}  ';
    expect((await ndjson(file)).body).toMatchObject({ created: 2, failed: 0 });
    expect(await storedProducts(shop)).toMatchObject([
      { sku: 'A', price_minor: 999, stock: 5, description: '' },
      { sku: null, name: 'Ünïcode 🦊', price_minor: 0, stock: 0, description: '' },
    ]);
  });

  test('may have null or blank texts in fields that it leaves as they are', async () => {
    await ndjson('{"sku":"A","name":"Lamp","price":9.99,"description":"Brass"}\n').expect(200);
    const file =
      '{"sku":"A","name":null,"price":null,"description":"Steel"}\n{"sku":" ","name":" ","price":""}\n{"sku":"","name":"Desk","price":1}';
    expect((await ndjson(file)).body).toMatchObject({
      created: 1,
      updated: 1,
      errors: [{ line: 2, message: 'Name is required; Price is required' }],
    });
    expect(await storedProducts(shop)).toMatchObject([
      { sku: 'A', name: 'Lamp', price_minor: 999, description: 'Steel' },
      { sku: null, name: 'Desk' },
    ]);
  });

  test('fails line by line', async () => {
    const lines: [string | Buffer, string | null][] = [
      ['{"name":"Lamp","price":1}', null],
      ['{"name":"Lamp","price":1', 'The line is not valid JSON'],
      ['', null],
      ['[1]', 'The line must be a JSON object'],
      ['null', 'The line must be a JSON object'],
      ['{"price":"9.99"}', 'Name is required; Price must be a positive number'],
      ['{"name":"Lamp","price":1,"id":7,"owner_id":1}', 'Unknown field: id, owner_id'],
      ['{"name":"Lamp","price":1,"__proto__":{"stock":1}}', 'Unknown field: __proto__'],
      ['{"name":"La\\ud800mp","price":1}', 'Name contains characters that cannot be stored'],
      ['{"name":"La\\u0000mp","price":1}', 'Name contains characters that cannot be stored'],
      [Buffer.from('{"name":"L\xe4mp","price":1}', 'latin1'), 'The row is not UTF-8'],
      [`${'['.repeat(50_000)}${']'.repeat(49_000)}`, 'The line is not valid JSON'],
      ['{"name":"Lamp","price":2}', null],
    ];
    const file = Buffer.concat(lines.flatMap(([line]) => [Buffer.from(line), Buffer.from('\n')]));
    const { body } = await ndjson(file);
    const errors = lines.flatMap(([, message], i) => (message === null ? [] : [{ line: i + 1, message }]));
    expect(body).toMatchObject({
      created: 2,
      updated: 0,
      failed: errors.length,
      errors,
      errors_truncated: false,
    });
  });

  test('is refused without a line', async () => {
    expect((await ndjson('\n')).body).toMatchObject({ code: 'unreadable_file', detail: 'The file is empty' });
  });
});

describe('POST /api/products/import', () => {
  test('lists the accepted types in a 415', async () => {
    const { status, body } = await importFile(shop.app, '{}', { type: 'application/json' });
    expect(status).toBe(415);
    expect(body.detail).toBe(
      'The body must be text/csv or application/vnd.ms-excel or application/x-ndjson or multipart/form-data in UTF-8',
    );
  });

  test('refuses a file above the limit of the deployment', async () => {
    const { app } = await shop.startReplica({ env: { IMPORT_MAX_BYTES: '1000' } });
    const { status, body } = await importFile(app, `name,price\n${'Lamp,1\n'.repeat(200)}`);
    expect(status).toBe(413);
    expect(body.detail).toBe('The body is larger than 1000 bytes');
    expect(await storedProducts(shop)).toEqual([]);
  });

  test('returns 401 without a valid access token', async () => {
    expect((await importFile(shop.app, 'name,price\n', { authorization: 'Bearer x' })).status).toBe(401);
    const wrong = await request(shop.app)
      .post('/api/products/import?dry_run=perhaps')
      .set('Authorization', 'Bearer x');
    expect(wrong.status).toBe(401);
  });
});
