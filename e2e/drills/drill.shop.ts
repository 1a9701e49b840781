import { addProducts } from '../support/catalogue.ts';
import { sleep } from '../support/process.ts';
import { type Stack, type StackOptions, startStack } from '../support/stack.ts';
import { checkSums, type Databases } from './drill.checks.ts';
import type { DrillResult } from './drill.report.ts';
import { type Orders, startOrders } from './order.load.ts';

/** Milliseconds of load before the fault and after it is over. */
const BEFORE = 2000;
const AFTER = 2000;
const PRODUCTS = 10;
const STOCK = 100_000;

/** As in production, but faster: undecided orders are decided within seconds. */
const IMPATIENT = {
  PLACEMENT_DEADLINE: '5',
  RECONCILE_INTERVAL: '500',
  ANTI_ENTROPY_INTERVAL: '2000',
  HELD_TOO_LONG: '3',
  KEY_LEASE: '2',
  JOB_MAX_BACKOFF: '1',
  JOB_ABANDONED_AFTER: '5',
  LOG_LEVEL: 'error',
  // For a machine that is busy with other things.
  TIME_LIMIT_FACTOR: process.env['TIME_LIMIT_FACTOR'] ?? '1',
};

export interface DrillShop {
  stack: Stack;
  products: number[];
  /** The databases themselves. */
  databases: Databases;
}

export async function startDrillShop(options: StackOptions = {}): Promise<DrillShop> {
  const stack = await startStack({
    only: ['product-service', 'order-service'],
    ...options,
    env: { ...IMPATIENT, ...options.env },
  });
  const databases = { order: stack.order.databaseUrl, product: stack.product.databaseUrl };
  return { stack, databases, products: await addProducts(databases.product, PRODUCTS, STOCK) };
}

/** For a shop that cannot start: closes what was started for it. */
export const closing = (close: () => Promise<void>) => async (error: unknown) => {
  await close();
  throw error;
};

interface Fault {
  /** How many times something was broken. */
  faults: number;
  /** What else is worth a line. */
  notes?: string[];
}

interface UnderLoad {
  shop: DrillShop;
  /** Where orders are sent; order-service itself if not set. */
  url?: string;
  /** Breaks something and repairs it, while buyers order. */
  strike: (orders: Orders) => Promise<Fault>;
  /** The databases afterwards, where they have moved. */
  databases?: () => Databases;
}

/** Buyers order before, during and after the fault; then both databases must agree with every response. */
export async function underLoad({ shop, url, strike, databases }: UnderLoad): Promise<DrillResult> {
  const orders = startOrders(() => url ?? shop.stack.order.url, shop.products);
  await sleep(BEFORE);
  let fault: Fault;
  try {
    fault = await strike(orders);
    await sleep(AFTER);
  } finally {
    await orders.stop();
  }
  const { seen } = orders;
  const sums = await checkSums(databases?.() ?? shop.databases, seen, shop.products);
  return { ...fault, seen, sums };
}
