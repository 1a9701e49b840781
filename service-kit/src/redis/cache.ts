import { randomUUID } from 'node:crypto';
import type { Metrics } from '../runtime/metrics.ts';
import { createMemoryCacheStore, createRedisCacheStore } from './cache-store.ts';
import type { RedisConnection } from './connect.ts';

/** How long a load that began while Redis was away is shared, in milliseconds: the staleness the HTTP contract allows. */
const SHARED_LOAD = 1000;
/** How soon ending a group is tried again after Redis did not take it, in milliseconds. */
const RETRY_END = 250;

export interface CacheOptions {
  /** Names the cache in keys and metrics, such as `product`. */
  name: string;
  /** Lifetime of an entry in seconds, shortened by up to a fifth so that entries do not end together. */
  ttl: number | ((value: string) => number);
  redis: RedisConnection | undefined;
  metrics: Metrics;
}

export interface CacheRead {
  value: string;
  hit: boolean;
}

/**
 * Texts by key, in groups that end together. Every entry is stored under the generation its group had before the value
 * was loaded; ending a group gives it a new generation. So a slow reader's old value can never be read after a write.
 */
export interface Cache {
  /** The stored text, or what `load` gives, which is stored then. Concurrent reads of a cold key share one load. */
  read(group: string, key: string, load: () => Promise<string>): Promise<CacheRead>;
  /** Call after the change was committed and before it is answered: no later read sees what was stored before. */
  end(groups: string[]): Promise<void>;
}

/** With Redis shared by all replicas; with none configured, in this process. While Redis is away every read loads. */
export function createCache({ name, ttl, redis, metrics }: CacheOptions): Cache {
  const store = redis === undefined ? createMemoryCacheStore() : createRedisCacheStore(redis);
  const loads = new Map<string, { promise: Promise<string>; startedAt: number }>();
  /** By group, which call of `end` wants it ended: one that is done must not forget a later one. */
  const unended = new Map<string, symbol>();
  const count = (result: 'hit' | 'miss' | 'away') => metrics.cacheReads.inc({ cache: name, result });

  const loadOnce = (id: string, load: () => Promise<string>, maxAge: number): Promise<string> => {
    const running = loads.get(id);
    if (running !== undefined && Date.now() - running.startedAt <= maxAge) return running.promise;
    const promise = load().finally(() => {
      if (loads.get(id)?.promise === promise) loads.delete(id);
    });
    loads.set(id, { promise, startedAt: Date.now() });
    return promise;
  };
  const sendUnended = async () => {
    const wanted = [...unended];
    if (wanted.length === 0) return;
    await store.renew(
      wanted.map(([group]) => group),
      randomUUID,
    );
    for (const [group, call] of wanted) if (unended.get(group) === call) unended.delete(group);
  };
  let retry: NodeJS.Timeout | undefined;
  // A Redis that was paused keeps its connections: other replicas read what it holds as soon as it goes on.
  const sendLater = () => {
    if (retry !== undefined) return;
    retry = setTimeout(() => {
      retry = undefined;
      sendUnended().catch(sendLater);
    }, RETRY_END).unref();
  };
  const find = async (groupKey: string, key: string) => {
    // Redis is back before the next try is due: what it holds of this group was ended already.
    if (retry !== undefined && unended.has(groupKey)) await sendUnended();
    return store.find(groupKey, key, randomUUID());
  };
  redis?.client.on('ready', () => void sendUnended().catch(() => undefined));

  return {
    async read(group, key, load) {
      const groupKey = `${name}:${group}`;
      const found = await find(groupKey, key).catch(() => undefined);
      if (found === undefined) {
        count('away');
        return { value: await loadOnce(`${groupKey}:${key}`, load, SHARED_LOAD), hit: false };
      }
      if (found.value !== null) {
        count('hit');
        return { value: found.value, hit: true };
      }
      count('miss');
      const { generation } = found;
      const value = await loadOnce(`${groupKey}:${generation}:${key}`, load, Number.POSITIVE_INFINITY);
      const seconds = typeof ttl === 'number' ? ttl : ttl(value);
      const milliseconds = Math.ceil(seconds * 1000 * (1 - Math.random() / 5));
      await store.put(groupKey, generation, key, value, milliseconds).catch(() => undefined);
      return { value, hit: false };
    },
    async end(groups) {
      const call = Symbol('end');
      for (const group of groups) unended.set(`${name}:${group}`, call);
      await sendUnended().catch(() => {
        metrics.degraded.inc({ feature: `cache_${name}` });
        sendLater();
      });
    },
  };
}
