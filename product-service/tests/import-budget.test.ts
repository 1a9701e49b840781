import { once } from 'node:events';
import { type ClientRequest, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import { until } from '@shop/service-kit/testing/until';
import type { Express } from 'express';
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

const NDJSON = 'application/x-ndjson';
const lamps = (count: number) => Array.from({ length: count }, (_, i) => `L${i},Lamp,1`);
const csv = (rows: string[]) => ['sku,name,price', ...rows].join('\n');
const count = () => shop.db.product.count();

function recorded() {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger('product-service', 'info', {
    write: (line) => void lines.push(JSON.parse(line)),
  });
  return { logger, brokeOff: () => lines.find(({ msg }) => msg === 'import broke off') };
}

/** Sends a whole compressed file; the test decides when the client disconnects. */
async function sendCompressed(app: Express, file: string): Promise<{ call: ClientRequest; close(): void }> {
  const server = app.listen(0);
  const { port } = server.address() as AddressInfo;
  const headers = { 'Content-Type': NDJSON, 'Content-Encoding': 'gzip', Authorization: seller() };
  const call = httpRequest({ port, path: '/api/products/import', method: 'POST', agent: false, headers });
  call.on('error', () => undefined).end(gzipSync(file));
  await once(call, 'finish');
  return { call, close: () => server.close() };
}

describe('the errors of an import', () => {
  const fields = (many: number, name: (i: number) => string) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: many }, (_, i) => [name(i), 1])));

  test.each([
    ['9,000 unknown fields in each row', fields(9000, (i) => `k${i}`)],
    ['names of 20,000 characters', fields(4, (i) => `${'x'.repeat(20_000)}${i}`)],
    ['names in another script', fields(300, (i) => `${'茶'.repeat(90)}${i}`)],
    ['names of control characters', fields(300, (i) => `${'\u0001'.repeat(50)}${i}`)],
  ])('are bounded with %s', async (_what, row) => {
    const { status, body, text } = await importFile(shop.app, `${row}\n`.repeat(200), { type: NDJSON });
    expect(status).toBe(200);
    expect(body).toMatchObject({ created: 0, failed: 200, errors_truncated: true });
    expect(body.errors.length).toBeGreaterThan(20);
    expect(body.errors.length).toBeLessThanOrEqual(100);
    for (const { message } of body.errors) expect([...message].length).toBeLessThanOrEqual(300);
    expect(Buffer.byteLength(text)).toBeLessThan(100_000);
  });

  test('list a few unknown fields and count the others', async () => {
    const { body } = await importFile(
      shop.app,
      fields(9000, (i) => `k${i}`),
      { type: NDJSON },
    );
    expect(body.errors).toEqual([
      {
        line: 1,
        message: 'Name is required; Price is required; Unknown field: k0, k1, k2, k3, k4 and 8995 more',
      },
    ]);
  });
});

describe('an import that is aborted reports its progress', () => {
  // The first row is refused by the statement that writes 500 of them.
  const outcome = { created: 499, updated: 0, unchanged: 0, failed: 1, stock_kept: 0, last_line: 501 };
  const rows = ['A,,9', ...lamps(600)];

  test('when it has too many rows', async () => {
    const { app } = await shop.startReplica({ env: { IMPORT_MAX_ROWS: '550' } });
    const { status, body } = await importFile(app, csv(rows));
    expect(status).toBe(413);
    expect(body).toMatchObject({
      ...outcome,
      code: 'body_too_large',
      detail: 'The body is larger than 550 rows',
    });
    expect(body.errors).toEqual([{ line: 2, message: 'Name is required: no product has this SKU' }]);
    expect(await count()).toBe(499);
  });

  test('when its file is too large', async () => {
    const file = csv(rows);
    const { app } = await shop.startReplica({ env: { IMPORT_MAX_BYTES: '90000' } });
    const { status, body } = await importFile(app, gzipSync(`${file}\n${'x'.repeat(100_000)}`), {
      encoding: 'gzip',
    });
    expect(status).toBe(413);
    expect(body).toMatchObject({ ...outcome, code: 'body_too_large' });
    expect(await count()).toBe(499);
  });

  test('when its compressed file is cut off', async () => {
    const noise = Array.from({ length: 8000 }, (_, i) => `N${(i * 2_654_435_761) % 4_294_967_296},Lamp,1`);
    const cut = gzipSync(csv([...rows, ...noise])).subarray(0, -1000);
    const { status, body } = await importFile(shop.app, cut, { encoding: 'gzip' });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'malformed_request', failed: 1 });
    expect(body.created).toBe(await count());
    expect(body.last_line).toBe(2 + body.created);
    expect(body.created).toBeGreaterThan(500);
  });

  test('when too many of its rows are refused', async () => {
    const { app } = await shop.startReplica({ env: { IMPORT_MAX_FAILURES: '10' } });
    const { status, body } = await importFile(app, csv([...lamps(500), ...Array(20).fill('X,Lamp,free')]));
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'too_many_failures', created: 500, failed: 11, last_line: 512 });
  });

  test('when it takes too long', async () => {
    const { app } = await shop.startReplica({ env: { IMPORT_MAX_SECONDS: '1' } });
    const server = app.listen(0);
    const { port } = server.address() as AddressInfo;
    const headers = { 'Content-Type': 'text/csv', Authorization: seller() };
    const call = httpRequest({ port, path: '/api/products/import', method: 'POST', agent: false, headers });
    call.on('error', () => undefined).write(`${csv(lamps(500))}\n`);
    const dribble = setInterval(() => call.write('\n'.repeat(40_000)), 100);
    const [response] = await once(call, 'response');
    clearInterval(dribble);
    let text = '';
    for await (const chunk of response) text += chunk;
    expect(response.statusCode).toBe(408);
    const { last_line, ...body } = JSON.parse(text);
    expect(body).toMatchObject({ code: 'request_timeout', created: 500, failed: 0 });
    // The empty lines behind the rows have been read too, all of them or some.
    expect(last_line).toBeGreaterThanOrEqual(501);
    call.destroy();
    server.close();
  });
});

describe('a few kilobytes that decompress to millions of rows', () => {
  test.each([
    ['empty objects', '{}\n'],
    ['blank lines', '\n'],
  ])('are aborted when the budget is used up: %s', async (_what, row) => {
    const { app } = await shop.startReplica({ env: { IMPORT_MAX_ROWS: '20000' } });
    const { status, body } = await importFile(app, gzipSync(row.repeat(5_000_000)), {
      type: NDJSON,
      encoding: 'gzip',
    });
    expect({ status, code: body.code, created: body.created }).toEqual({
      status: 413,
      code: 'body_too_large',
      created: 0,
    });
  });

  test('are aborted when their client disconnects, which frees the slot', async () => {
    const { logger, brokeOff } = recorded();
    const { app } = await shop.startReplica({ logger });
    const rows = Array(300_000).fill('{"name":"Lamp","price":1}');
    const { call, close } = await sendCompressed(app, rows.join('\n'));
    await until('the import has begun', async () => (await count()) > 0);
    call.destroy();
    await until('it ends', () => brokeOff() !== undefined);
    expect(brokeOff()).toMatchObject({ reason: 'The body broke off', failed: 0 });
    expect(await count()).toBe(brokeOff()?.['created']);
    expect(await count()).toBeLessThan(300_000);
    await importFile(app, 'name,price\n').expect(200);
    close();
  });

  test('do not block other requests, even four in parallel', async () => {
    const { app } = await shop.startReplica();
    const server = app.listen(0);
    const { port } = server.address() as AddressInfo;
    const file = gzipSync('{}\n'.repeat(25_000));
    let running = 4;
    const imports = [21, 22, 23, 24].map((user) =>
      importFile(server, file, { type: NDJSON, encoding: 'gzip', authorization: bearer(user) }).then(
        ({ body }) => {
          running -= 1;
          return body;
        },
      ),
    );
    const read = async (path: string) => {
      let served = 0;
      for (; running > 0; served += 1) {
        const { status } = await fetch(`http://127.0.0.1:${port}${path}`);
        expect(status).toBe(200);
      }
      return served;
    };
    const served = await Promise.all(['/health', '/api/products'].map(read));
    // 100,000 rows in slices of 2 ms: a request waits for a few of them, not for a file.
    expect(Math.min(...served)).toBeGreaterThan(20);
    for (const body of await Promise.all(imports)) expect(body).toMatchObject({ failed: 25_000 });
    server.close();
  });
});
