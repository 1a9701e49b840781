import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Metrics } from '../runtime/metrics.ts';
import { createEnds } from './cache-ends.ts';
import { createMemoryCacheStore, sizeOf } from './cache-store.memory.ts';
import {
  type CacheAddress,
  type CacheStore,
  type CacheValue,
  type Claim,
  createRedisCacheStore,
  type Stored,
} from './cache-store.ts';
import type { RedisConnection } from './connect.ts';

/**
 * How late a change may be seen by other processes, in milliseconds: less than the second of the HTTP contract. So long an
 * answer is served without asking Redis whether it still holds.
 */
const FRESH = 750;
/** How often to look whether another process's load has ended, in milliseconds. After FRESH it is too old to wait for. */
const WAIT_STEP = 10;
/** Bytes of answers that a cache keeps in its process beside Redis, which has them too. */
const HOT_BYTES = 4 * 1024 * 1024;
/** The same where there is no Redis. */
const MEMORY_BYTES = 16 * 1024 * 1024;

export interface CacheOptions {
  /** Names the cache in keys and metrics, such as `product`. */
  name: string;
  /** Lifetime of an entry in seconds from its load, shortened by up to a fifth so that entries do not end together. */
  ttl: number | ((value: CacheValue) => number);
  redis: RedisConnection | undefined;
  metrics: Metrics;
}

export interface CacheRead {
  value: CacheValue;
  /** Nothing was loaded for it. */
  hit: boolean;
}

type Load = () => Promise<CacheValue>;

/**
 * Finished answers by key, in groups that end together. Hot ones are kept in the process, all of them in Redis for all
 * processes, and a cold one is loaded by one of these while the others wait.
 *
 * Every answer carries the time up to which it has seen all changes: when it was loaded, or when Redis last said that
 * its group had not ended since. It is served while that time is less than FRESH ago, and never to a read that began after
 * this process ended the group. So no answer that arrives late, wherever it was held up, can bring an old value back.
 */
export interface Cache {
  /** The kept answer, or what `load` gives, which is kept then. */
  read(group: string, key: string, load: Load): Promise<CacheRead>;
  /** Call after the change was committed and before it is answered: reads here see it at once, elsewhere within FRESH. */
  end(groups: string[]): Promise<void>;
}

/** An answer and up to when it is right; times are those of `performance.now()`. */
interface Held {
  value: CacheValue;
  id: string | undefined;
  loadedAt: number;
  seenUpTo: number;
}

interface Flight {
  startedAt: number;
  result: Promise<{ held: Held; hit: boolean }>;
}

/** With Redis shared by all processes; with none configured, in this one. While Redis is away each process loads for itself. */
export function createCache({ name, ttl, redis, metrics }: CacheOptions): Cache {
  const store: CacheStore =
    redis === undefined ? createMemoryCacheStore(MEMORY_BYTES) : createRedisCacheStore(redis);
  const hot = new LRUCache<string, Held>({
    maxSize: HOT_BYTES,
    sizeCalculation: ({ value }) => sizeOf(value),
  });
  const flights = new Map<string, Flight>();
  const maker = randomUUID();
  let made = 0;
  const newId = () => {
    made += 1;
    return `${maker}:${made}`;
  };
  const ends = createEnds({ store, redis, keptFor: 2 * FRESH, newId });
  const groupOf = (group: string) => `${name}:${group}`;
  const count = (result: 'memory' | 'redis' | 'shared' | 'miss' | 'alone') =>
    metrics.cacheReads.inc({ cache: name, result });

  /** Whether a read that begins at `now` may be answered so. */
  const isRight = ({ seenUpTo }: { seenUpTo: number }, group: string, now: number) =>
    now - seenUpTo < FRESH && seenUpTo > ends.endedAt(group);

  const keep = (id: string, held: Held): Held => {
    const before = hot.peek(id);
    if (before === undefined || before.seenUpTo < held.seenUpTo) hot.set(id, held);
    return held;
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
    const seconds = typeof ttl === 'number' ? ttl : ttl(held.value);
    const milliseconds = Math.ceil(seconds * 1000 * (1 - Math.random() / 5));
    await store.put(claim, held.value, milliseconds).catch(() => undefined);
    return held;
  };

  /** What the store says, after waiting for the load of another process; undefined when that takes too long. */
  const lookUp = async (
    address: CacheAddress,
    known: Held | undefined,
  ): Promise<Held | Claim | undefined> => {
    const giveUpAt = performance.now() + FRESH;
    for (;;) {
      const askedAt = performance.now();
      await ends.sent(address.group);
      // One less, which is what a clock of whole milliseconds may be wrong by.
      const sinceEnd = Math.max(0, Math.floor(askedAt - ends.endedAt(address.group)) - 1);
      const maxAge = Math.min(FRESH, sinceEnd);
      const found = await store.find(address, { known: known?.id, maxAge, id: newId() });
      if (found !== 'loading') return 'claim' in found ? found.claim : heldOf(found.stored, known, askedAt);
      if (askedAt > giveUpAt) return undefined;
      metrics.cacheWaits.inc({ cache: name });
      await sleep(WAIT_STEP);
    }
  };
  const fetch = async (address: CacheAddress, id: string, load: Load) => {
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
    return { held: keep(id, found), hit: true };
  };
  const takeOff = (address: CacheAddress, id: string, load: Load): Flight => {
    const result = fetch(address, id, load).finally(() => {
      if (flights.get(id) === flight) flights.delete(id);
    });
    const flight = { startedAt: performance.now(), result };
    flights.set(id, flight);
    return flight;
  };
  const served = (held: Held, hit: boolean, now: number): CacheRead => {
    metrics.cacheAge.observe({ cache: name }, Math.max(0, now - held.loadedAt) / 1000);
    return { value: held.value, hit };
  };

  return {
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
    async end(groups) {
      if (!(await ends.end(groups.map(groupOf)))) metrics.degraded.inc({ feature: `cache_${name}` });
    },
  };
}

function heldOf({ id, age, isCurrent, value }: Stored, known: Held | undefined, askedAt: number): Held {
  const loadedAt = askedAt - age;
  return {
    value: value === undefined ? (known?.value ?? null) : value,
    id,
    loadedAt,
    seenUpTo: isCurrent ? askedAt : loadedAt,
  };
}
