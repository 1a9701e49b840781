import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { addProducts, tokenOf } from '../e2e/support/catalogue.ts';
import { type Stack, startStack, testServer } from '../e2e/support/stack.ts';
import type { Job } from './support/generator.ts';
import { generate, processorTime } from './support/processes.ts';

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 4);
const RUNS = 3;
const CLIENTS = 16;
const PRODUCTS = 1000;

/** What one order and one read cost with traces off, on, and on for one request in a hundred, in turns within one run. */
async function main() {
  const receiver = createServer((request, response) => {
    request.resume().on('end', () => response.end('{}'));
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const ways: Record<string, Record<string, string>> = {
    off: {},
    on: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
    'one in 100': { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLER_ARG: '0.01' },
  };
  const shops: Record<string, Stack> = {};
  for (const [way, env] of Object.entries(ways)) shops[way] = await openShop(env);
  const calls: Record<string, (shop: Stack) => Omit<Job, 'seconds'>> = {
    'an order': ({ order }) => ({ url: order.url, ...ORDERS }),
    'a product': ({ product }) => ({ url: product.url, path: '/api/products/{product}', ...READS }),
  };
  const rows: object[] = [];
  try {
    for (const [name, jobOf] of Object.entries(calls)) {
      const found = Object.fromEntries(Object.keys(shops).map((way) => [way, [] as Cost[]]));
      // The first turn warms up.
      for (let run = 0; run <= RUNS; run++)
        for (const [way, shop] of Object.entries(shops)) {
          const cost = await costOf(shop, { ...jobOf(shop), seconds: SECONDS });
          if (run > 0) found[way]?.push(cost);
        }
      const least = Object.entries(found).map(([way, costs]) => [way, leastOf(costs)] as const);
      const off = least[0]?.[1].microseconds ?? 0;
      for (const [way, { rate, microseconds, failures }] of least)
        rows.push({
          name,
          traces: way,
          'per second': Math.round(rate),
          'processor time, µs': Math.round(microseconds),
          'of off': `${Math.round((100 * microseconds) / off)} %`,
          failures,
        });
    }
  } finally {
    await Promise.all(Object.values(shops).map((shop) => shop.close()));
    receiver.closeAllConnections();
    receiver.close();
  }
  console.table(rows);
}

const ORDERS = {
  connections: CLIENTS,
  method: 'POST',
  path: '/api/orders',
  clients: Array.from({ length: CLIENTS }, (_, n) => ({
    headers: { authorization: `Bearer ${tokenOf(n + 1)}`, 'content-type': 'application/json' },
    bodies: Array.from({ length: 100 }, () =>
      JSON.stringify({ products: [{ product_id: 1 + Math.floor(Math.random() * PRODUCTS), quantity: 1 }] }),
    ),
  })),
} as const satisfies Omit<Job, 'url' | 'seconds'>;
const READS = { connections: CLIENTS, prepared: PRODUCTS } as const;

async function openShop(env: Record<string, string>): Promise<Stack> {
  const shop = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    only: ['product-service', 'order-service'],
    env: { LOG_LEVEL: 'info', ...env },
  });
  await addProducts(shop.product.databaseUrl, PRODUCTS, 1_000_000);
  return shop;
}

interface Cost {
  rate: number;
  /** Processor time of the services for one call. */
  microseconds: number;
  failures: number;
}

async function costOf({ product, order }: Stack, job: Job): Promise<Cost> {
  const used = async () =>
    (await processorTime(product.process.pid)) + (await processorTime(order.process.pid));
  const before = await used();
  const { rate, sent, failures } = await generate(job);
  return { rate, microseconds: ((await used()) - before) / sent, failures };
}

/** Whatever else the machine does only adds. */
const leastOf = (costs: Cost[]): Cost => costs.reduce((a, b) => (b.microseconds < a.microseconds ? b : a));

await main();
