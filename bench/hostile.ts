import { request } from 'node:http';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';
import { tokenOf } from '../e2e/support/catalogue.ts';
import { call } from '../e2e/support/http.ts';
import { type Stack, startStack, testServer } from '../e2e/support/stack.ts';
import { watchMemory } from './support/memory.ts';

const ROWS = Number(process.env['BENCH_ROWS'] ?? 1_000_000);
/** The memory of the process must stay below this, whatever is sent. */
const LIMIT_MB = 256;
const CSV = 'text/csv';
const NDJSON = 'application/x-ndjson';

/** Measures the memory of product-service under uploads made to exhaust it; exits with 1 above the limit. */
async function main() {
  const stack = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    only: ['product-service'],
    env: { LOG_LEVEL: 'info' },
  });
  const attacks: [string, () => Promise<string[]>][] = [
    [
      '1,000 rows with 12,400 unknown fields each, as brotli',
      () => sendAll(stack, 1, 'br', NDJSON, unknownFields),
    ],
    [`two dry runs of ${ROWS} rows with distinct SKUs`, () => sendAll(stack, 2, 'gzip', CSV, distinctSkus)],
    ['four files of 66 million empty rows, as gzip', () => sendAll(stack, 4, 'gzip', NDJSON, emptyRows)],
    ['four files of rows that keep much in memory', () => sendAll(stack, 4, 'gzip', NDJSON, longTexts)],
  ];
  const table = [];
  try {
    for (const [what, run] of attacks) {
      const { result, samples } = await watchMemory(stack.product.process.pid, run);
      const { status } = await call('GET', `${stack.product.url}/health`);
      table.push({ what, 'peak RSS MB': Math.round(Math.max(...samples)), health: status });
      console.log(`${what}:\n  ${result.join('\n  ')}`);
    }
  } finally {
    await stack.close();
  }
  console.table(table);
  if (table.some((row) => row['peak RSS MB'] >= LIMIT_MB || row.health !== 200)) process.exitCode = 1;
}

const KEYS = Array.from({ length: 12_400 }, (_, i) => `"k${i % 10_000}${i}":1`)
  .join(',')
  .slice(0, 97_900);

function* unknownFields() {
  const row = `{${KEYS.slice(0, KEYS.lastIndexOf(','))}}\n`;
  for (let i = 0; i < 1000; i++) yield row;
}
function* distinctSkus() {
  yield 'sku,name,price\n';
  for (let i = 0; i < ROWS; i++) yield `a-rather-long-SKU-as-some-shops-have-them-${i},Thing,1\n`;
}
function* emptyRows() {
  for (let i = 0; i < 66; i++) yield '{}\n'.repeat(1_000_000);
}
function* longTexts() {
  for (let i = 0; i < 1500; i++)
    yield `${JSON.stringify({ name: `${' '.repeat(49_000)}茶壶茶壶茶壶茶壶茶壶茶壶茶壶 ${i}`, price: 1 })}\n`;
}

type Encoding = 'gzip' | 'br';

/** Sends the same file from several sellers in parallel. @returns the results */
function sendAll(
  stack: Stack,
  count: number,
  encoding: Encoding,
  type: string,
  rows: () => Iterable<string>,
) {
  const users = Array.from({ length: count }, (_, i) => i + 1);
  return Promise.all(
    users.map((user) => send(stack, user, encoding, type, Readable.from(rows(), { objectMode: false }))),
  );
}

function send(
  { product }: Stack,
  user: number,
  encoding: Encoding,
  type: string,
  rows: Readable,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${product.url}/api/products/import?dry_run=true`,
      {
        method: 'POST',
        headers: {
          'content-type': type,
          'content-encoding': encoding,
          authorization: `Bearer ${tokenOf(user)}`,
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          resolve(`${response.statusCode} ${text.replace(/"errors":\[.*\],/, '').slice(0, 300)}`);
          sent.destroy();
        });
      },
    );
    // The service may respond before it has everything.
    pipeline(rows, compressor(encoding), sent).catch(() => undefined);
    sent.once('error', reject);
  });
}

function compressor(encoding: Encoding): Transform {
  return encoding === 'gzip'
    ? createGzip({ level: 9 })
    : createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
}

await main();
