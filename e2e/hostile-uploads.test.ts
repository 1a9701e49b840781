import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { tokenOf } from './support/catalogue.ts';
import { call } from './support/http.ts';
import { type Stack, startStack, testServer } from './support/stack.ts';

/** Megabytes of the process's heap; Node aborts beyond them. It needs about half of them before the uploads. */
const HEAP = 80;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    only: ['product-service'],
    env: { NODE_OPTIONS: `--max-old-space-size=${HEAP}` },
  });
});
afterAll(() => stack.close());

/** A dry run of the compressed file. */
async function upload(user: number, type: string, encoding: string, file: Buffer) {
  const response = await fetch(`${stack.product.url}/api/products/import?dry_run=true`, {
    method: 'POST',
    headers: {
      'content-type': type,
      'content-encoding': encoding,
      authorization: `Bearer ${tokenOf(user)}`,
    },
    body: new Uint8Array(file),
  });
  return { status: response.status, text: await response.text() };
}

async function expectAlive() {
  expect(stack.product.process.hasEnded()).toBe(false);
  expect((await call('GET', `${stack.product.url}/health`)).status).toBe(200);
}

test('10 kB of brotli with 1,000 rows of 12,400 unknown fields do not exhaust the memory', async () => {
  const keys = Array.from({ length: 12_400 }, (_, i) => `"${i}":1`)
    .join(',')
    .slice(0, 97_000);
  const row = `{${keys.slice(0, keys.lastIndexOf(','))}}\n`;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 5 };
  const file = brotliCompressSync(row.repeat(1000), { params });
  expect(file.length).toBeLessThan(100_000);
  const { status, text } = await upload(1, 'application/x-ndjson', 'br', file);
  expect(status).toBe(200);
  expect(JSON.parse(text)).toMatchObject({ failed: 1000, errors_truncated: true });
  expect(text.length).toBeLessThan(100_000);
  await expectAlive();
});

test('two files of 200,000 rows with SKUs of 64 characters do not exhaust the memory', async () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => `${String(i).padStart(64, 'SKU-')},Thing,1\n`);
  const file = gzipSync(`sku,name,price\n${rows.join('')}`);
  const results = await Promise.all([2, 3].map((user) => upload(user, 'text/csv', 'gzip', file)));
  for (const { status, text } of results) {
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ created: 200_000, failed: 0 });
  }
  await expectAlive();
});
