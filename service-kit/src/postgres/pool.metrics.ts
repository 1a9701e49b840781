import type { Pool } from 'pg';
import { Gauge, Histogram, type Registry } from 'prom-client';

/** Size and use of a pool, and how long callers wait for a connection when none is free. */
export function observePool(pool: Pool, registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: 'database_pool_connections',
    help: 'Connections of this process: used, idle, and the limit of both together',
    labelNames: ['state'],
    registers,
    collect() {
      this.set({ state: 'used' }, pool.totalCount - pool.idleCount);
      this.set({ state: 'idle' }, pool.idleCount);
      this.set({ state: 'limit' }, pool.options.max);
    },
  });
  new Gauge({
    name: 'database_pool_waiting',
    help: 'Callers that wait for a connection now',
    registers,
    collect() {
      this.set(pool.waitingCount);
    },
  });
  const waits = new Histogram({
    name: 'database_pool_wait_seconds',
    help: 'How long callers waited that found no free connection, in vain or not',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2],
    registers,
  });
  measureWaits(pool, (seconds) => waits.observe(seconds));
}

type Connected = (error: Error | undefined, ...rest: unknown[]) => void;
type Connect = (callback?: Connected) => Promise<unknown> | undefined;

/** Every way to use a pool leads through `connect`, with a callback or without. */
function measureWaits(pool: Pool, onWait: (seconds: number) => void): void {
  const connect = pool.connect.bind(pool) as Connect;
  const measured: Connect = (callback) => {
    if (pool.idleCount > 0) return connect(callback);
    const start = performance.now();
    const end = () => onWait((performance.now() - start) / 1000);
    if (callback === undefined) return connect()?.finally(end);
    return connect((...result) => {
      end();
      callback(...result);
    });
  };
  pool.connect = measured as typeof pool.connect;
}
