import type { DrillResult } from './drill.report.ts';
import { failover } from './failover.ts';
import { migrate } from './migrate.ts';
import { pgbouncer } from './pgbouncer.ts';
import { redisSentinel } from './redis.ts';
import { restoreOrders, restoreProducts } from './restore.ts';

/** What `npm run drill -- <name>` breaks under load, in the order of `all`. */
export const DRILLS: Readonly<Record<string, () => Promise<DrillResult>>> = {
  'failover orders': () => failover('order-service'),
  'failover products': () => failover('product-service'),
  'restore orders': restoreOrders,
  'restore products': restoreProducts,
  'redis-sentinel': redisSentinel,
  pgbouncer,
  migrate,
};
