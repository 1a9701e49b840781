import { openSlowLink } from '@shop/service-kit/testing/slow-link';
import { addProducts, tokenOf } from '../e2e/support/catalogue.ts';
import { call } from '../e2e/support/http.ts';
import { sleep } from '../e2e/support/process.ts';
import { type Stack, startStack, testServer } from '../e2e/support/stack.ts';
import { runLoad } from './support/load.ts';
import { residentBytes } from './support/memory.ts';

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

/** Compares order-service while product-service is stopped, paused or 2 s late with its normal behaviour. */
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
  if (link === undefined) throw new Error('no link to product-service');
  const [product = 0] = await addProducts(stack.product.databaseUrl, 1, 1_000_000);
  const shop = { stack, link, product };
  const rows: object[] = [];
  const measure = async (state: string, begin: () => unknown, end: () => Promise<unknown> | unknown) => {
    await begin();
    await sleep(500);
    const row = await observe(shop, state === 'well' || state === '2 s late');
    await end();
    rows.push({
      'product-service': state,
      ...row,
      'recovery ms': state === 'well' ? '–' : await recovery(shop),
    });
  };
  const nothing = () => undefined;
  try {
    // Twice, so that the memory of a new process does not look like growth.
    for (let warm = 0; warm < 2; warm++) await observe(shop, true);
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

/** @param catalogue whether product-service itself can be measured; it is read directly, without the slow link */
async function observe({ stack, product }: Shop, catalogue: boolean) {
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
  const browse = async () =>
    (await call('GET', `${stack.product.url}/api/products/${product}`)).status === 200;
  const [orders, reads, browsing] = await Promise.all([
    runLoad(BUYERS, SECONDS, order),
    runLoad(READERS, SECONDS, read),
    catalogue ? runLoad(1, SECONDS, browse) : undefined,
  ]);
  const rounded = (milliseconds: number) => Math.round(milliseconds * 10) / 10;
  return {
    'order responses': [...statuses].map(([status, count]) => `${count} × ${status}`).join(', '),
    'slowest order ms': Math.round(orders.max - PAUSE),
    'order read p50 ms': rounded(reads.p50),
    'order read p99 ms': rounded(reads.p99),
    'catalogue p99 ms': browsing === undefined ? '–' : rounded(browsing.p99),
    'failed reads': reads.failures + (browsing?.failures ?? 0),
    'RSS MB': Math.round((await residentBytes(stack.order.process.pid)) / 1e6),
  };
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
