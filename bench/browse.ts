import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { tokenOf } from '../e2e/support/catalogue.ts';
import { call } from '../e2e/support/http.ts';
import { sleep } from '../e2e/support/process.ts';
import { SERVICE_SECRET, startStack, testServer } from '../e2e/support/stack.ts';
import { createServiceTokenSigner } from '../service-kit/src/tokens/service-token.ts';
import { countStatements, fillShelves, SHELVES, statementsOf } from './support/shelves.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 20);
const PRODUCTS = 10_000;
const CACHES = ['product', 'product_list', 'categories'];
/** Calls per second over both replicas. Fixed, so that the results do not depend on the speed of the machine. */
const RATES = [200, 400];
const WRITES = 0.05;
/** Of the reads: single products, then list pages, then categories. Of the writes: orders, then stock, then prices. */
const READS = { product: 0.65, list: 0.3 };
const CHANGES = { order: 0.7, stock: 0.2 };
/** Milliseconds after which a change must be visible (docs/http-api.md). */
const CONTRACT = 1000;
const SELLER = tokenOf(1);

type Price = { value: number; at: number };
type Shown = { id: number; price: number };

/** Two replicas on one Redis, visitors who read by Zipf's law, and one write for 19 reads. */
async function main() {
  const env = { LOG_LEVEL: 'info', RATE_LIMIT_ENABLED: 'false' };
  const stack = await startStack({ redisUrl: testServer('TEST_REDIS_URL'), only: ['product-service'], env });
  const replica = await stack.product.replicate();
  const rows: object[] = [];
  try {
    await countStatements(stack.product.databaseUrl);
    await fillShelves(stack.product.databaseUrl, PRODUCTS);
    const urls = [stack.product.url, replica.url];
    await warmUp(urls);
    for (const rate of RATES) {
      const state = async () => ({
        statements: await statementsOf(stack.product.databaseUrl),
        loads: await loadsOf(urls),
      });
      const before = await state();
      const seen = await browse(urls, rate, SECONDS);
      const after = await state();
      // Each write is one statement.
      const statements = after.statements - before.statements - seen.writes;
      const loads = CACHES.map(
        (cache, i) => [cache, (after.loads[i] ?? 0) - (before.loads[i] ?? 0)] as const,
      );
      rows.push(rowOf(rate, seen, loads, statements));
    }
  } finally {
    await replica.stop();
    await stack.close();
  }
  console.table(rows);
  await mkdir('bench/results', { recursive: true });
  await writeFile('bench/results/browse.json', `${JSON.stringify({ at: new Date(), rows }, null, 2)}\n`);
}

/** Warms the caches: each product is read once. */
async function warmUp(urls: string[]): Promise<void> {
  let id = 0;
  const visitor = async () => {
    while (id < PRODUCTS) {
      id += 1;
      await call('GET', `${urls[0]}/api/products/${id}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, visitor));
  await browse(urls, RATES[0] ?? 0, 5);
}

/** Loads from the database by cache, as counted by the replicas. */
async function loadsOf(urls: string[]): Promise<number[]> {
  const texts = await Promise.all(urls.map(async (url) => (await call('GET', `${url}/metrics`)).text));
  return CACHES.map((cache) => {
    const lines = new RegExp(`^cache_loads_total\\{.*cache="${cache}".*\\} (\\d+)$`, 'gm');
    const counts = texts.flatMap((text) => [...text.matchAll(lines)]);
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  });
}

function rowOf(
  rate: number,
  seen: Awaited<ReturnType<typeof browse>>,
  loadsOfCaches: (readonly [cache: string, loads: number])[],
  statements: number,
) {
  const percent = (part: number) => `${Math.round((part / seen.reads) * 1000) / 10} %`;
  const loads = loadsOfCaches.reduce((sum, [, count]) => sum + count, 0);
  return {
    'calls/s': rate,
    reads: seen.reads,
    writes: seen.writes,
    'reads without a query': percent(seen.reads - loads),
    'hits by Cache-Status': percent(seen.hits),
    ...Object.fromEntries(loadsOfCaches.map(([cache, count]) => [`loads: ${cache}`, count])),
    'statements for reads': statements,
    'stale beyond the contract': seen.stale,
    failures: seen.failures,
  };
}

async function browse(urls: string[], rate: number, seconds: number) {
  const seen = { reads: 0, writes: 0, hits: 0, stale: 0, failures: 0 };
  const prices = new Map<number, Price[]>();
  const service = createServiceTokenSigner(SERVICE_SECRET, 'order-service', 'product-service');
  const pick = createZipf(PRODUCTS);
  const shelf = createZipf(SHELVES);
  const urlOf = () => urls[Math.floor(Math.random() * urls.length)] ?? '';

  const isStale = ({ id, price }: Shown, begunAt: number): boolean => {
    const changes = prices.get(id) ?? [];
    const due = changes.filter(({ at }) => at < begunAt - CONTRACT).at(-1);
    const later = changes.filter(({ at }) => at >= begunAt - CONTRACT);
    return due !== undefined && ![due, ...later].some(({ value }) => value === price);
  };
  const readProducts = async (path: string) => {
    const begunAt = performance.now();
    const response = await call('GET', `${urlOf()}/api/products${path}`);
    const { product, products } = response.body as { product?: Shown; products?: Shown[] };
    if ((products ?? (product ? [product] : [])).some((shown) => isStale(shown, begunAt))) seen.stale += 1;
    return response;
  };
  const readList = () => {
    const page = pick() % 5 === 0 ? '&page=2' : '';
    const filter = Math.random() < 0.5 ? `category=Shelf%20${shelf() - 1}&` : '';
    return readProducts(`?${filter}per_page=20${page}`);
  };
  const read = async () => {
    const kind = Math.random();
    const response = await (kind < READS.product
      ? readProducts(`/${pick()}`)
      : kind < READS.product + READS.list
        ? readList()
        : call('GET', `${urlOf()}/api/products/categories`));
    seen.reads += 1;
    if (response.headers.get('cache-status')?.endsWith('; hit')) seen.hits += 1;
    if (response.status !== 200) seen.failures += 1;
  };
  const isChanging = (id: number) => prices.get(id)?.at(-1)?.at === Number.POSITIVE_INFINITY;
  const changePrice = async (id: number) => {
    const price = { value: Math.round(Math.random() * 100_000) / 100, at: Number.POSITIVE_INFINITY };
    prices.set(id, [...(prices.get(id) ?? []), price]);
    const response = await call(
      'PATCH',
      `${urlOf()}/api/products/${id}`,
      { price: price.value },
      { token: SELLER },
    );
    price.at = performance.now();
    return response;
  };
  const write = async () => {
    const kind = Math.random();
    const id = pick();
    const items = [{ product_id: id, quantity: 1 }];
    const response = await (kind < CHANGES.order
      ? call(
          'POST',
          `${urlOf()}/internal/reservations`,
          { reservation_id: randomUUID(), items },
          { token: service() },
        )
      : kind < CHANGES.order + CHANGES.stock || isChanging(id)
        ? call('PUT', `${urlOf()}/api/products/${id}/stock`, { quantity: 1 }, { token: SELLER })
        : changePrice(id));
    seen.writes += 1;
    if (response.status !== 200) seen.failures += 1;
  };

  const under = new Set<Promise<void>>();
  const startedAt = performance.now();
  for (let sent = 0; sent < rate * seconds; sent++) {
    const wait = startedAt + (sent * 1000) / rate - performance.now();
    if (wait > 0) await sleep(wait);
    const one: Promise<void> = (Math.random() < WRITES ? write() : read())
      .catch(() => {
        seen.failures += 1;
      })
      .finally(() => under.delete(one));
    under.add(one);
  }
  await Promise.all(under);
  return seen;
}

/** Numbers from 1 to `count` by Zipf's law: the n-th with a weight of 1/n. */
function createZipf(count: number): () => number {
  const sums: number[] = [];
  for (let n = 1; n <= count; n++) sums.push((sums.at(-1) ?? 0) + 1 / n);
  const total = sums.at(-1) ?? 0;
  return () => {
    const wanted = Math.random() * total;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
}

await main();
