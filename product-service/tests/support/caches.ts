import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { CachedBytes } from '@shop/service-kit/redis/cache-groups';
import type { RedisConnection } from '@shop/service-kit/redis/connect';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import { connectTestRedis } from '@shop/service-kit/testing/test-redis';
import { openTrustDatabase, type TrustDatabase } from '@shop/service-kit/testing/trust-database';
import { type Cache, type CacheOptions, createCaches, type Loaded } from '../../src/cache/cache.ts';

/** Longer than a response is served without asking Redis, in milliseconds. */
export const LATER = 500;
/** How late a change may show on another replica, in milliseconds (the HTTP contract). */
export const CONTRACT = 1000;

export let database: TrustDatabase;
beforeAll(async () => {
  database = await openTrustDatabase('product_caches');
});
afterAll(() => database.close());

const opened: RedisConnection[] = [];
export const open = async (connection: Promise<RedisConnection>) => {
  opened.push(await connection);
  return connection;
};
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
});

/** One process's caches. @param distrust how long it lasts, in milliseconds */
export const cachesOn = (redis: RedisConnection | undefined, distrust?: number) => {
  const metrics = createMetrics('kit');
  return { metrics, createCache: createCaches({ redis, trust: database.replica(distrust).trust, metrics }) };
};
export const cacheOn = (redis: RedisConnection | undefined, options: Partial<CacheOptions> = {}) => {
  const { metrics, createCache } = cachesOn(redis);
  const cache = createCache({ name: 'thing', lifetime: 60_000, ...options });
  const reads = async (result: string) =>
    (await metrics.cacheReads.get()).values.find(({ labels }) => labels.result === result)?.value ?? 0;
  return { cache, metrics, reads };
};
/** Two processes on one Redis. */
export async function twoProcesses() {
  const first = await open(connectTestRedis());
  const second = { ...(await open(connectTestRedis())), prefix: first.prefix };
  return [
    { ...cacheOn(first), redis: first },
    { ...cacheOn(second), redis: second },
  ] as const;
}

export const bytesOf = (text: string): CachedBytes => ({ etag: `"${text}"`, bytes: Buffer.from(text) });
export const value = (text: string) => async (): Promise<Loaded> => ({ value: bytesOf(text) });
/** What is loaded, or reported by a change, of a version. */
export const version = (number: number) => async () => next('', number);
export const next = (group: string, number: number) => ({
  group,
  value: bytesOf(`version ${number}`),
  version: number,
});
export const nothing = async (): Promise<Loaded> => ({ value: null });
export const neverLoaded = async (): Promise<Loaded> => {
  throw new Error('must come from the cache');
};
/** The text of a response, and whether it came from the cache. */
export async function read(cache: Cache, group: string, key: string, load: () => Promise<Loaded>) {
  const found = await cache.read(group, key, load);
  return { text: found.value && String(found.value.bytes), hit: found.hit };
}
export const textOf = async (...args: Parameters<typeof read>) => (await read(...args)).text;

/** A load that ends when the test says so. */
export function slowLoad() {
  let calls = 0;
  const { promise, resolve, reject } = deferred<Loaded>();
  const load = () => {
    calls += 1;
    return promise;
  };
  return { load, resolve: (text: string) => resolve({ value: bytesOf(text) }), reject, calls: () => calls };
}
export function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}
