import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { startStack, testServer } from '../e2e/support/stack.ts';
import { residentBytes } from './support/memory.ts';

const PER_MINUTE = 10_000;
const MINUTES = Number(process.env['BENCH_MINUTES'] ?? 3);
const STEP_MS = 3000;
const STEPS = (MINUTES * 60_000) / STEP_MS;
/** Megabytes that each service may hold under load. */
const LIMIT_MB = 150;

/**
 * 10,000 idempotency keys, and as many rejected orders and released reservations, that expire in each minute. Shows how many are left after each minute, and the memory of both services meanwhile.
 */
async function main() {
  const stack = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    only: ['product-service', 'order-service'],
  });
  const orders = new Client({ connectionString: stack.order.databaseUrl });
  const products = new Client({ connectionString: stack.product.databaseUrl });
  const table: Record<string, number>[] = [];
  const peaks = { order: 0, product: 0 };
  try {
    await Promise.all([orders.connect(), products.connect()]);
    let left = 0;
    for (let step = 1; step <= STEPS; step++) {
      await expire(orders, products, (PER_MINUTE * STEP_MS) / 60_000);
      await sleep(STEP_MS);
      peaks.order = Math.max(peaks.order, await residentBytes(stack.order.process.pid));
      peaks.product = Math.max(peaks.product, await residentBytes(stack.product.process.pid));
      if ((step * STEP_MS) % 60_000 !== 0) continue;
      left = await countOf(orders, 'idempotency_keys');
      table.push({
        minute: (step * STEP_MS) / 60_000,
        'expired so far': (PER_MINUTE * step * STEP_MS) / 60_000,
        'keys left': left,
        'reservations left': await countOf(products, 'reservations'),
        'order-service, peak RSS MB': Math.round(peaks.order / 1e6),
        'product-service, peak RSS MB': Math.round(peaks.product / 1e6),
      });
    }
    console.table(table);
    // The cleanup runs once a minute: what is left is what has expired since.
    if (left > 1.5 * PER_MINUTE || Math.max(peaks.order, peaks.product) > LIMIT_MB * 1e6)
      process.exitCode = 1;
  } finally {
    await Promise.all([orders.end(), products.end()]);
    await stack.close();
  }
}

/** Adds keys, rejected orders and released reservations whose time is over. */
async function expire(orders: Client, products: Client, count: number): Promise<void> {
  await orders.query(
    `WITH rejected AS (
       INSERT INTO orders (user_id, placement, reservation_id, deadline, currency, created_at)
       SELECT 1, 'REJECTED', gen_random_uuid(), now(), 'USD', now() - interval '30 days'
         FROM generate_series(1, $1::int) RETURNING id)
     INSERT INTO idempotency_keys (user_id, route, key, request_hash, order_id, lease_until, created_at)
     SELECT 1, 'POST /api/orders', gen_random_uuid()::text, 'hash', id, now(), now() - interval '30 days' FROM rejected`,
    [count],
  );
  await products.query(
    `INSERT INTO reservations (id, status, updated_at)
     SELECT gen_random_uuid(), 'RELEASED', now() - interval '60 days' FROM generate_series(1, $1::int)`,
    [count],
  );
}

async function countOf(database: Client, table: 'idempotency_keys' | 'reservations'): Promise<number> {
  const { rows } = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]?.count ?? 0;
}

await main();
