import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Metrics } from '../runtime/metrics.ts';
import { createInvalidation, type Invalidation } from './cache-invalidation.ts';
import { createLookUp, type Found, FRESH, type Held, type Parts } from './cache-look-up.ts';
import { createMemoryCacheStore } from './cache-store.memory.ts';
import { createRedisCacheStore } from './cache-store.redis.ts';
import {
  type CacheAddress,
  type CacheStore,
  type CacheValue,
  type Claim,
  type NewVersion,
  sizeOf,
} from './cache-store.ts';
import type { RedisConnection } from './connect.ts';

/** Seconds. Redis remembers for 15 minutes that a group was invalidated: no entry may outlive that. */
const MAX_TTL = 14 * 60;
/** Bytes of responses that a cache keeps in its process beside Redis, which has them too. */
const HOT_BYTES = 4 * 1024 * 1024;
/** What all caches keep together where there is no Redis. */
const MEMORY_BYTES = 32 * 1024 * 1024;

export interface CachesOptions {
  redis: RedisConnection | undefined;
  metrics: Metrics;
}

export interface CacheOptions {
  /** Names the cache in keys and metrics, such as `product`. */
  name: string;
  /** Longest lifetime of an entry in seconds from its load, up to MAX_TTL; shortened by up to a fifth so that entries do not expire together. */
  ttl: number;
  /** A shorter one, for some entries. */
  shorter?: (value: CacheValue, group: string) => number | undefined;
  /** For responses that are made of another cache's, which say so in `parts`. */
  parts?: PartsOptions;
}

interface PartsOptions {
  /** Each of its groups has one response, under the key ''. */
  of: Cache;
  load(group: string): Promise<CacheValue>;
  /** @param changed by their names, as in `parts` */
  renew: Parts['renew'];
}

export interface CacheRead {
  value: CacheValue;
  /** Nothing was loaded for it. */
  hit: boolean;
}

type Load = () => Promise<CacheValue>;

/** What is read of a group from now on, under the key ''. */
export type NewResponse = Pick<NewVersion, 'group' | 'value'>;

/**
 * Finished responses by key, in groups that are invalidated together. Hot ones are kept in the process, all of them in Redis for all
 * processes, and a cold one is loaded by one of these while the others wait.
 *
 * Every response carries the time up to which it has seen all changes: when it was loaded, or when Redis last said that
 * its group was not invalidated since. It is served while that time is less than FRESH ago, and never to a read that began after
 * this process invalidated the group. So no response that arrives late, wherever it was held up, can bring an old value back.
 */
export interface Cache {
  /** What its groups are called in `parts`. */
  partOf(group: string): string;
  /** The kept response, or what `load` gives, which is kept then. */
  read(group: string, key: string, load: Load): Promise<CacheRead>;
  /** Call after the change was committed and before it is answered: reads here see it at once, elsewhere within FRESH. */
  invalidate(groups: string[]): Promise<void>;
  /**
   * The same for groups of one response each, which tells the next one: where one is kept that takes its place, and none is
   * loaded. Changes may call in any order: the response of the latest version stays.
   */
  replace(responses: NewResponse[]): Promise<void>;
}

interface Flight {
  startedAt: number;
  result: Promise<Found>;
}

/**
 * Makes caches on one store: with Redis shared by all processes; with none configured, in this one. While Redis is away each
 * process loads for itself.
 */
export function createCaches({ redis, metrics }: CachesOptions): (options: CacheOptions) => Cache {
  const store = redis === undefined ? createMemoryCacheStore(MEMORY_BYTES) : createRedisCacheStore(redis);
  const maker = randomUUID();
  let made = 0;
  const newId = () => {
    made += 1;
    return `${maker}:${made}`;
  };
  const invalidation = createInvalidation({ store, redis, keptFor: 2 * FRESH, newId });
  return (options) => createCache(options, { store, invalidation, newId, metrics });
}

interface Shared {
  store: CacheStore;
  invalidation: Invalidation;
  newId: () => string;
  metrics: Metrics;
}

/** @throws RangeError for a lifetime beyond its bound */
function createCache(
  { name, ttl, shorter, parts }: CacheOptions,
  { store, invalidation, newId, metrics }: Shared,
): Cache {
  if (!(ttl > 0 && ttl <= MAX_TTL))
    throw new RangeError(`The cache ${name} keeps entries for ${ttl} s, at most ${MAX_TTL} s are allowed`);
  const hot = new LRUCache<string, Held>({
    maxSize: HOT_BYTES,
    sizeCalculation: ({ value }) => sizeOf(value),
  });
  const flights = new Map<string, Flight>();
  const groupOf = (group: string) => `${name}:${group}`;
  const withoutName = (group: string) => group.slice(name.length + 1);
  const count = (result: 'memory' | 'redis' | 'shared' | 'miss' | 'alone') =>
    metrics.cacheReads.inc({ cache: name, result });
  const onWait = () => metrics.cacheWaits.inc({ cache: name });
  const lookUp = createLookUp({ store, invalidation, newId, parts: parts && asParts(parts), onWait });

  /** Whether a read that begins at `now` may be answered so. */
  const isRight = (
    { seenUpTo, value }: Pick<Held, 'seenUpTo'> & Partial<Held>,
    group: string,
    now: number,
  ) => {
    if (now - seenUpTo >= FRESH || seenUpTo <= invalidation.invalidatedAt(group)) return false;
    return value?.parts?.every((part) => seenUpTo > invalidation.invalidatedAt(part)) ?? true;
  };
  const keep = (id: string, held: Held): Held => {
    const before = hot.peek(id);
    if (before === undefined || before.seenUpTo < held.seenUpTo) hot.set(id, held);
    return held;
  };
  const lifetimeOf = (value: CacheValue, group: string): number => {
    const seconds = Math.min(ttl, shorter?.(value, withoutName(group)) ?? ttl);
    return Math.ceil(seconds * 1000 * (1 - Math.random() / 5));
  };
  const loadFor = async (id: string, load: Load, claim?: Claim): Promise<Held> => {
    metrics.cacheLoads.inc({ cache: name });
    const loadedAt = performance.now();
    const value = await load().catch((error: unknown) => {
      if (claim !== undefined) store.release(claim).catch(() => undefined);
      throw error;
    });
    return keep(id, { value, id: claim?.id, loadedAt, seenUpTo: loadedAt });
  };
  const loadAndStore = async (id: string, load: Load, claim: Claim): Promise<Held> => {
    const held = await loadFor(id, load, claim);
    await store.put(claim, held.value, lifetimeOf(held.value, claim.group)).catch(() => undefined);
    return held;
  };

  const fetch = async (address: CacheAddress, id: string, load: Load): Promise<Found> => {
    const found = await lookUp(address, hot.peek(id)).catch(() => undefined);
    if (found === undefined) {
      count('alone');
      return { held: await loadFor(id, load), hit: false };
    }
    if ('generation' in found) {
      count('miss');
      return { held: await loadAndStore(id, load, found), hit: false };
    }
    count('redis');
    return { held: keep(id, found.held), hit: found.hit };
  };
  const takeOff = (address: CacheAddress, id: string, load: Load): Flight => {
    const result = fetch(address, id, load).finally(() => {
      if (flights.get(id) === flight) flights.delete(id);
    });
    const flight = { startedAt: performance.now(), result };
    flights.set(id, flight);
    return flight;
  };
  const served = ({ loadedAt, value }: Held, hit: boolean, now: number): CacheRead => {
    metrics.cacheAge.observe({ cache: name }, Math.max(0, now - loadedAt) / 1000);
    return { value, hit };
  };
  const note = (wasTold: boolean) => {
    if (!wasTold) metrics.degraded.inc({ feature: `cache_${name}` });
  };

  return {
    partOf: groupOf,
    async read(ofGroup, key, load) {
      const now = performance.now();
      const group = groupOf(ofGroup);
      const id = `${group}:${key}`;
      const held = hot.get(id);
      if (held !== undefined && isRight(held, group, now)) {
        count('memory');
        return served(held, true, now);
      }
      const running = flights.get(id);
      if (running !== undefined && isRight({ seenUpTo: running.startedAt }, group, now)) {
        const shared = await running.result;
        if (isRight(shared.held, group, now)) {
          count('shared');
          return served(shared.held, shared.hit, now);
        }
      }
      const own = await takeOff({ group, key }, id, load).result;
      return served(own.held, own.hit, now);
    },
    invalidate: async (groups) => note(await invalidation.invalidate(groups.map(groupOf))),
    async replace(responses) {
      const versions = responses.map(({ group, value }) => ({
        group: groupOf(group),
        key: '',
        value,
        lifetime: lifetimeOf(value, groupOf(group)),
        id: newId(),
      }));
      note(await invalidation.replace(versions));
    },
  };
}

const asParts = ({ of, load, renew }: PartsOptions): Parts => ({
  read(part) {
    const group = part.slice(of.partOf('').length);
    return of.read(group, '', () => load(group));
  },
  renew,
});
