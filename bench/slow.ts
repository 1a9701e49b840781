import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openSlowLink, type SlowLink } from '@shop/service-kit/testing/slow-link';
import { addProducts, tokenOf } from '../e2e/support/catalogue.ts';
import { call } from '../e2e/support/http.ts';
import { sleep } from '../e2e/support/process.ts';
import { startStack, testServer } from '../e2e/support/stack.ts';
import { percentile } from './support/load.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 6);
const LATE = 700;
const QUOTES = 150;
const ORDERS_PER_SECOND = 20;
/** Time limit of every request in milliseconds (docs/http-api.md). */
const MOST = 2000;

interface Seen {
  kind: string;
  status: number;
  took: number;
}

/** Measures response times while product-service is slow, under many parallel quotes and a steady flow of orders. */
async function main() {
  let link: SlowLink | undefined;
  const stack = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    only: ['product-service', 'order-service'],
    productUrl: async (service) => {
      link = await openSlowLink(service.port);
      return link.url;
    },
    env: { RATE_LIMIT_ENABLED: 'false' },
  });
  const seen: Seen[] = [];
  try {
    const [product = 0] = await addProducts(stack.product.databaseUrl, 1, 1_000_000);
    const body = { products: [{ product_id: product, quantity: 1 }] };
    const ask = async (kind: string, path: string, user: number) => {
      const startedAt = performance.now();
      const options = { token: tokenOf(user), limit: 30_000 };
      const { status } = await call('POST', `${stack.order.url}${path}`, body, options);
      seen.push({ kind, status, took: performance.now() - startedAt });
    };
    for (let i = 0; i < 50; i++) await ask('warm up', '/api/orders', 1);
    link?.slowDown(LATE);
    const own = monitorEventLoopDelay({ resolution: 10 });
    own.enable();
    const end = performance.now() + SECONDS * 1000;
    const quotes = Array.from({ length: QUOTES }, async (_, client) => {
      while (performance.now() < end) await ask('quote', '/api/orders/quote', client + 1);
    });
    const orders: Promise<void>[] = [];
    for (let user = 1; performance.now() < end; user++) {
      orders.push(ask('order', '/api/orders', user));
      await sleep(1000 / ORDERS_PER_SECOND);
    }
    await Promise.all([...quotes, ...orders]);
    console.log(`This process, which sends the requests, was late by up to ${Math.round(own.max / 1e6)} ms.`);
  } finally {
    link?.close();
    await stack.close();
  }
  console.table(['quote', 'order'].map((kind) => row(kind, seen)));
  if (seen.some(({ took }) => took > MOST)) process.exitCode = 1;
}

function row(kind: string, seen: Seen[]) {
  const own = seen.filter((each) => each.kind === kind);
  const times = own.map(({ took }) => took).sort((a, b) => a - b);
  const statuses = new Map<number, number>();
  for (const { status } of own) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const rounded = (share: number) => Math.round(percentile(times, share));
  return {
    requests: kind,
    responses: [...statuses].map(([status, count]) => `${count} × ${status}`).join(', '),
    'p50 ms': rounded(0.5),
    'p90 ms': rounded(0.9),
    'p99 ms': rounded(0.99),
    'max ms': rounded(1),
    'over 2 s': times.filter((took) => took > MOST).length,
  };
}

await main();
