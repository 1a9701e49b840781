import { afterEach } from '@jest/globals';
import { type Cache, type CacheOptions, createCaches } from '../../src/redis/cache.ts';
import type { CachedBytes, CacheValue } from '../../src/redis/cache-store.ts';
import type { RedisConnection } from '../../src/redis/connect.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { connectTestRedis } from '../../src/testing/test-redis.ts';

const opened: RedisConnection[] = [];
export const open = async (connection: Promise<RedisConnection>) => {
  opened.push(await connection);
  return connection;
};
afterEach(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
});

export const cacheOn = (redis: RedisConnection | undefined, shorter?: CacheOptions['shorter']) => {
  const metrics = createMetrics('kit');
  const cache = createCaches({ redis, metrics })({ name: 'thing', ttl: 60, ...(shorter && { shorter }) });
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

export const response = (text: string): CachedBytes => ({ etag: `"${text}"`, bytes: Buffer.from(text) });
export const value = (text: string) => async () => response(text);
/** What is loaded and told for a version. */
export const version = (number: number) => async () => next('', number).value;
export const next = (group: string, number: number) => ({
  group,
  value: { ...response(`version ${number}`), version: number },
});
export const neverLoaded = async (): Promise<CacheValue> => {
  throw new Error('must come from the cache');
};
/** The text that a read gives, and whether something was loaded for it. */
export async function read(cache: Cache, group: string, key: string, load: () => Promise<CacheValue>) {
  const found = await cache.read(group, key, load);
  return { text: found.value && String(found.value.bytes), hit: found.hit };
}
export const textOf = async (...args: Parameters<typeof read>) => (await read(...args)).text;

/** A load that ends when the test says so. */
export function slowLoad() {
  let calls = 0;
  const { promise, resolve, reject } = deferred<CacheValue>();
  const load = () => {
    calls += 1;
    return promise;
  };
  return { load, resolve: (text: string) => resolve(response(text)), reject, calls: () => calls };
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
