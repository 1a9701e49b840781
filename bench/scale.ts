import { mkdir, writeFile } from 'node:fs/promises';
import { type Stack, startStack, testServer } from '../e2e/support/stack.ts';
import { fillCatalogue, productAt } from './scale.catalogue.ts';
import { drawChart } from './scale.chart.ts';
import {
  CURSOR_SORTS,
  DEPTHS,
  type Figure,
  type Places,
  QUERIES,
  type QueryKind,
  type Result,
} from './scale.queries.ts';
import { createHttpClient } from './support/http-client.ts';
import { percentile, runLoad } from './support/load.ts';
import { residentBytes } from './support/memory.ts';

const SIZES = (process.env['BENCH_SIZES'] ?? '1000,10000,100000,1000000').split(',').map(Number);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 10);
/** Each kind of query is sent to one catalogue after the other, a few times each, so that noise affects all equally. */
const ROUNDS = 25;
const CALLS = 8;
const CLIENTS = 8;

interface Catalogue {
  size: number;
  stack: Stack;
  http: ReturnType<typeof createHttpClient>;
  places: Places;
}

/** Measures uncached lists and searches of product-service by the size of the catalogue. */
async function main() {
  const catalogues: Catalogue[] = [];
  try {
    for (const [index, size] of SIZES.entries()) catalogues.push(await openCatalogue(size, index));
    const results = await measureAll(catalogues);
    const memory = await memoryUnderLoad(catalogues.at(-1));
    console.table(results.map(toRow));
    console.log(`product-service under load at ${SIZES.at(-1)} products: ${memory} MB resident`);
    await mkdir('bench/results', { recursive: true });
    const rows = results.map(({ figures, ...kind }) => ({ ...kind, figures: Object.fromEntries(figures) }));
    const report = { at: new Date(), node: process.version, residentMb: memory, rows };
    await writeFile('bench/results/scale.json', `${JSON.stringify(report, null, 2)}\n`);
    await mkdir('docs', { recursive: true });
    await writeFile('docs/catalogue-latency.svg', drawChart(results, SIZES));
  } finally {
    for (const { http, stack } of catalogues) {
      http.close();
      await stack.close();
    }
  }
}

async function openCatalogue(size: number, index: number): Promise<Catalogue> {
  // A separate Redis database for each, so that they do not share cached queries.
  const redisUrl = Object.assign(new URL(testServer('TEST_REDIS_URL')), { pathname: `/${index}` }).toString();
  const stack = await startStack({
    redisUrl,
    only: ['product-service'],
    env: {
      LOG_LEVEL: 'info',
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_CATALOGUE_READS: '999999999/60',
    },
  });
  const { databaseUrl, url } = stack.product;
  const startedAt = performance.now();
  await fillCatalogue(databaseUrl, size);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(`${size.toLocaleString('en')} products filled in within ${seconds} s`);
  const places: Places = new Map();
  for (const sort of CURSOR_SORTS) {
    for (const depth of DEPTHS) {
      const place = await productAt(databaseUrl, sort === 'price' ? 'price_minor' : sort, depth);
      if (place !== undefined) places.set(`${sort}:${depth}`, place);
    }
  }
  return { size, stack, http: createHttpClient(url, CLIENTS), places };
}

async function measureAll(catalogues: Catalogue[]): Promise<Result[]> {
  const samples = new Map<string, number[]>();
  const samplesOf = ({ name }: QueryKind, { size }: Catalogue) => samples.get(`${name} ${size}`) ?? [];
  for (let round = 0; round <= ROUNDS; round++) {
    for (const kind of QUERIES) {
      for (const catalogue of catalogues) {
        const times = await measure(catalogue, kind, round);
        // The first round warms the process and the server's memory.
        if (round > 0)
          samples.set(`${kind.name} ${catalogue.size}`, [...samplesOf(kind, catalogue), ...times]);
      }
    }
  }
  return QUERIES.map((kind) => {
    const asked = catalogues.filter((catalogue) => samplesOf(kind, catalogue).length > 0);
    const figures = asked.map((catalogue) => [catalogue.size, figureOf(samplesOf(kind, catalogue))] as const);
    return { name: kind.name, panel: kind.panel, figures: new Map(figures) };
  });
}

/** @returns milliseconds of each call; empty if the catalogue is too small for it */
async function measure({ http, places }: Catalogue, kind: QueryKind, round: number): Promise<number[]> {
  const times: number[] = [];
  for (let call = 0; call < CALLS; call++) {
    const query = kind.query(round * CALLS + call, places);
    if (query !== undefined) times.push(await timed(http, query));
  }
  return times;
}

async function timed(http: Catalogue['http'], query: string): Promise<number> {
  const before = performance.now();
  const { status, body } = await http.get(`/api/products?${query}`);
  if (status !== 200) throw new Error(`?${query} returned ${status}: ${body}`);
  return performance.now() - before;
}

function figureOf(samples: number[]): Figure {
  const sorted = samples.toSorted((a, b) => a - b);
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

/** The peak memory under all kinds of queries in parallel. @returns megabytes */
async function memoryUnderLoad(catalogue: Catalogue | undefined): Promise<number> {
  if (catalogue === undefined) throw new Error('no sizes');
  const { http, places, stack } = catalogue;
  let sent = 1_000_000;
  let most = 0;
  const watch = setInterval(async () => {
    most = Math.max(most, await residentBytes(stack.product.process.pid));
  }, 100);
  await runLoad(CLIENTS, SECONDS, async () => {
    sent += 1;
    const query = QUERIES[sent % QUERIES.length]?.query(sent, places);
    return query === undefined || (await http.get(`/api/products?${query}`)).status === 200;
  });
  clearInterval(watch);
  return Math.round(most / 1e6);
}

function toRow({ name, figures }: Result) {
  const rounded = (value: number) => Math.round(value * 100) / 100;
  const columns = [...figures].flatMap(([size, { p50, p99 }]) => [
    [`${short(size)} p50`, rounded(p50)],
    [`${short(size)} p99`, rounded(p99)],
  ]);
  const [small, large] = [figures.get(10_000)?.p50, figures.get(1_000_000)?.p50];
  const ratio = small === undefined || large === undefined ? {} : { '1M / 10k': rounded(large / small) };
  return { query: name, ...Object.fromEntries(columns), ...ratio };
}

const short = (size: number) => (size >= 1e6 ? `${size / 1e6}M` : `${size / 1000}k`);

await main();
