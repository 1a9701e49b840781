import { readFile } from 'node:fs/promises';
import { addProducts, tokenOf } from '../e2e/support/catalogue.ts';
import { call } from '../e2e/support/http.ts';
import { sleep } from '../e2e/support/process.ts';
import { type Stack, startStack, testServer } from '../e2e/support/stack.ts';
import { runLoad } from './support/load.ts';
import { openSlowLink } from './support/slow-link.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 6);
const READERS = 2;
const BUYERS = 8;
/** Milliseconds between two orders of a buyer, so that a fast 503 does not become a load of its own. */
const PAUSE = 20;
const TOKEN = tokenOf(1);

interface Shop {
  stack: Stack;
  link: Awaited<ReturnType<typeof openSlowLink>>;
  product: number;
}

/** How order-service does while product-service is stopped, paused or 2 s late, beside how it does when all is well. */
async function main() {
  let link: Shop['link'] | undefined;
  const stack = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    only: ['product-service', 'order-service'],
    productUrl: async (service) => {
      link = await openSlowLink(service.port);
      return link.url;
    },
  });
  if (link === undefined) throw new Error('no way to product-service');
  const [product = 0] = await addProducts(stack.product.databaseUrl, 1, 1_000_000);
  const shop = { stack, link, product };
  const rows: object[] = [];
  const measure = async (state: string, begin: () => unknown, end: () => Promise<unknown> | unknown) => {
    await begin();
    await sleep(500);
    const row = await observe(shop);
    await end();
    rows.push({
      'product-service': state,
      ...row,
      'recovery ms': state === 'well' ? '–' : await recovery(shop),
    });
  };
  const nothing = () => undefined;
  try {
    await observe(shop);
    await measure('well', nothing, nothing);
    await measure(
      'stopped',
      () => stack.product.kill(),
      () => stack.product.start(),
    );
    await measure('well', nothing, nothing);
    await measure(
      'paused',
      () => stack.product.pause(),
      () => stack.product.resume(),
    );
    await measure('well', nothing, nothing);
    await measure(
      '2 s late',
      () => link?.slowDown(2000),
      () => link?.slowDown(0),
    );
    await measure('well', nothing, nothing);
  } finally {
    link.close();
    await stack.close();
  }
  console.table(rows);
}

async function observe({ stack, product }: Shop) {
  const body = { products: [{ product_id: product, quantity: 1 }] };
  const statuses = new Map<number, number>();
  const order = async () => {
    await sleep(PAUSE);
    const { status } = await call('POST', `${stack.order.url}/api/orders`, body, { token: TOKEN });
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    return true;
  };
  const read = async () =>
    (await call('GET', `${stack.order.url}/api/orders?per_page=5`, undefined, { token: TOKEN })).status ===
    200;
  const [orders, reads] = await Promise.all([
    runLoad(BUYERS, SECONDS, order),
    runLoad(READERS, SECONDS, read),
  ]);
  return {
    'order answers': [...statuses].map(([status, count]) => `${count} × ${status}`).join(', '),
    'slowest order ms': Math.round(orders.max - PAUSE),
    'reads/s': Math.round(reads.rate),
    'read p50 ms': Math.round(reads.p50 * 10) / 10,
    'read p99 ms': Math.round(reads.p99 * 10) / 10,
    'failed reads': reads.failures,
    'RSS MB': Math.round((await residentBytes(stack.order.process.pid)) / 1e6),
  };
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** Milliseconds until an order is placed again. */
async function recovery({ stack, product }: Shop): Promise<number> {
  const body = { products: [{ product_id: product, quantity: 1 }] };
  const startedAt = performance.now();
  for (;;) {
    const { status } = await call('POST', `${stack.order.url}/api/orders`, body, { token: TOKEN });
    if (status === 201) return Math.round(performance.now() - startedAt);
    await sleep(20);
  }
}

await main();
