import type { DrillResult } from './drill.report.ts';
import { failover, failoverStandby } from './failover.ts';
import { migrate } from './migrate.ts';
import { pgbouncer } from './pgbouncer.ts';
import { kill, rolling } from './processes.ts';
import { queueLock } from './queue.lock.ts';
import { redisReplica, redisSentinel } from './redis.ts';
import { restoreMoment, restoreOrders, restoreProducts, restoreUsers } from './restore.ts';

/** What `npm run drill -- <name>` breaks under load, in the order of `all`. */
export const DRILLS: Readonly<Record<string, () => Promise<DrillResult>>> = {
  rolling,
  kill,
  'failover orders': () => failover('order-service'),
  'failover products': () => failover('product-service'),
  'failover standby': failoverStandby,
  'queue-lock': queueLock,
  'restore orders': restoreOrders,
  'restore products': restoreProducts,
  'restore users': restoreUsers,
  'restore moment': restoreMoment,
  'redis-replica': redisReplica,
  'redis-sentinel': redisSentinel,
  pgbouncer,
  migrate,
};
