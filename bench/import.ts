import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { addProducts, tokenOf } from '../e2e/support/catalogue.ts';
import { call } from '../e2e/support/http.ts';
import { sleep } from '../e2e/support/process.ts';
import { type Stack, startStack, testServer } from '../e2e/support/stack.ts';
import { percentile } from './support/load.ts';
import { curveOf, watchMemory } from './support/memory.ts';

const ROWS = Number(process.env['BENCH_ROWS'] ?? 100_000);
/** The memory of the process must stay below this for 100,000 rows. */
const LIMIT_MB = 200;
/** The aim for each import of 100,000 rows on a machine with nothing else to do: printed, because other machines differ. */
const AIM_SECONDS = 60;
const TOKEN = tokenOf(1);
/** The heap limit that Node chooses in a container of 512 MB, as in docker-compose.yml. */
const NODE_OPTIONS = process.env['BENCH_NODE_OPTIONS'] ?? '--max-old-space-size=256';
/** Milliseconds between two reads of a customer who browses meanwhile. */
const PAUSE = 10;

/**
 * Imports ROWS products into an empty shop, again with changes, exports and imports them again, while a customer reads;
 * exits with 1 above the limit of memory.
 */
async function main() {
  const stack = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    only: ['product-service'],
    env: { LOG_LEVEL: 'info', NODE_OPTIONS },
  });
  const folder = await mkdtemp(join(tmpdir(), 'shop-import-'));
  const file = join(folder, 'catalogue.csv');
  const [product = 0] = await addProducts(stack.product.databaseUrl, 1, 10);
  const rows: ({ what: string } & Awaited<ReturnType<typeof observe>>)[] = [];
  const measure = async (what: string, run: () => Promise<string>) => {
    const row = await observe(stack, product, run);
    console.log(`${what}: memory in MB over its time: ${row.curve}`);
    rows.push({ what, ...row });
  };
  try {
    await measure('reads only, 5 s', () => sleep(5000).then(() => ''));
    await writeCatalogue(file, 0);
    await measure('import, all new', () => send(stack, file));
    await writeCatalogue(file, 1);
    await measure('import, all changed', () => send(stack, file));
    await measure('export', () => receive(stack, file));
    await measure('import, all the same', () => send(stack, file));
    await measure('import, dry run', () => send(stack, file, '?dry_run=true'));
  } finally {
    await stack.close();
    await rm(folder, { recursive: true });
  }
  console.table(rows.map(({ curve: _, ...row }) => row));
  const slowest = Math.max(...rows.map(({ seconds }) => seconds));
  const most = Math.max(...rows.map((row) => row['peak RSS MB']));
  console.log(`at most ${slowest} s (aim ${AIM_SECONDS}) and ${most} MB (limit ${LIMIT_MB})`);
  if (most > LIMIT_MB) process.exitCode = 1;
  await mkdir('bench/results', { recursive: true });
  await writeFile(
    'bench/results/import.json',
    `${JSON.stringify({ at: new Date(), node: process.version, count: ROWS, rows }, null, 2)}\n`,
  );
}

async function observe(stack: Stack, product: number, run: () => Promise<string>) {
  const startedAt = performance.now();
  const reads: number[] = [];
  let isRunning = true;
  const browse = async () => {
    while (isRunning) {
      const before = performance.now();
      const { status } = await call('GET', `${stack.product.url}/api/products/${product}`);
      if (status !== 200) throw new Error(`a read returned ${status}`);
      reads.push(performance.now() - before);
      await sleep(PAUSE);
    }
  };
  const browsing = browse();
  const { result, samples } = await watchMemory(stack.product.process.pid, () =>
    run().finally(() => {
      isRunning = false;
    }),
  );
  await browsing;
  const seconds = (performance.now() - startedAt) / 1000;
  reads.sort((a, b) => a - b);
  return {
    seconds: Math.round(seconds * 10) / 10,
    'rows/s': result === '' ? '–' : Math.round(ROWS / seconds),
    'peak RSS MB': Math.round(Math.max(...samples)),
    'read p50 ms': Math.round(percentile(reads, 0.5) * 10) / 10,
    'read p99 ms': Math.round(percentile(reads, 0.99) * 10) / 10,
    response: result,
    curve: curveOf(samples),
  };
}

async function writeCatalogue(file: string, edition: number): Promise<void> {
  const lines = function* () {
    yield 'sku,name,description,price,stock,category,image_url\n';
    for (let i = 0; i < ROWS; i++) {
      const description = `"A ""fine"" thing, number ${i}, edition ${edition}.\nIt is said to last, and comes with a cable."`;
      yield `BENCH-${i},Thing number ${i},${description},${(i % 900) + edition}.99,${(i % 50) + edition},Shelf ${i % 40},\n`;
    }
  };
  await pipeline(Readable.from(lines()), createWriteStream(file));
}

/** @throws for any status but 200 */
function post(stack: Stack, path: string, body: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${stack.product.url}${path}`,
      { method: 'POST', headers: { 'content-type': 'text/csv', authorization: `Bearer ${TOKEN}` } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          response.statusCode === 200
            ? resolve(text)
            : reject(new Error(`${path}: ${response.statusCode} ${text}`)),
        );
      },
    );
    pipeline(body, sent).catch(reject);
  });
}

async function send(stack: Stack, file: string, query = ''): Promise<string> {
  const handle = await open(file);
  const { created, updated, failed } = JSON.parse(
    await post(stack, `/api/products/import${query}`, handle.createReadStream()),
  );
  return `${created} created, ${updated} updated, ${failed} failed`;
}

async function receive(stack: Stack, file: string): Promise<string> {
  const response = await fetch(`${stack.product.url}/api/products/export?format=csv`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  if (response.body === null) throw new Error('nothing was sent');
  const out = createWriteStream(file);
  await pipeline(response.body, out);
  return `${out.bytesWritten} bytes`;
}

await main();
