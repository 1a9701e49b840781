import {
  type CacheAddress,
  type CacheGroups,
  type CacheValue,
  createCacheGroups,
  type Found,
} from '@shop/service-kit/redis/cache-groups';
import type { CacheTrust } from '@shop/service-kit/redis/cache-trust';
import type { RedisConnection } from '@shop/service-kit/redis/connect';
import type { Metrics } from '@shop/service-kit/runtime/metrics';
import { type Copy, createFreshCopies, createOwnChanges, type OwnChanges } from './fresh-copies.ts';

/** The longest lifetime, in milliseconds: the bound for changes that are never reported (docs/caching.md). */
const MAX_LIFETIME = 600_000;
/** Most entries of a group. */
const MAX_ENTRIES = 1000;

export interface CachesOptions {
  /** Without it, a process keeps its fresh copies only. */
  redis: RedisConnection | undefined;
  trust: CacheTrust;
  metrics: Metrics;
}

export interface CacheOptions {
  /** Names the cache in keys and metrics, such as `product`. */
  name: string;
  /** Of a group, in milliseconds from its first entry; shortened by up to a fifth, so that groups do not expire together. */
  lifetime: number;
  /** Of a null response, in milliseconds. */
  lifetimeOfNothing?: number;
}

/** A response, or null. */
export interface Loaded {
  value: CacheValue;
  /** Grows with every change of the response; for groups of one entry. */
  version?: number | undefined;
  /** Stored in Redis in place of the response. */
  kept?: CacheValue;
  /** Groups of another cache, by `groupOf`, whose changes change the response. */
  parts?: readonly string[];
}

/** The next response of a group with one entry, whose key is ''. */
interface NewVersion {
  group: string;
  value: CacheValue;
  version: number;
}

export type CacheRead = Pick<Copy, 'value' | 'hit'>;
type Load = () => Promise<Loaded>;
/** Makes a response of the value that Redis stored for it. */
type Restore = (kept: CacheValue) => Promise<Omit<Copy, 'seenAt'>>;

/** Finished responses in groups that are invalidated together. Every change shows within a second (docs/caching.md). */
export interface Cache {
  groupOf(name: string): string;
  /** The cached response, or the one that `load` returns, which is cached then. */
  read(name: string, key: string, load: Load, restore?: Restore): Promise<CacheRead>;
  /**
   * The entries '' of several groups, in one command; `load` is called once for all that are missing.
   * @returns values in the order of the names
   */
  readAll(
    names: readonly string[],
    load: (missing: string[]) => Promise<Map<string, Loaded>>,
  ): Promise<{ values: CacheValue[]; hit: boolean }>;
  /** Call after the commit and before the response. Reads that begin in this process afterwards show the change. */
  invalidate(names: string[]): Promise<void>;
  /** The same for groups of one entry whose next response is known: if one is cached, nothing has to be loaded. */
  replace(versions: NewVersion[]): Promise<void>;
}

/** Makes caches on one Redis. A change made through one of them shows in this process's reads of the others, too. */
export function createCaches({ redis, trust, metrics }: CachesOptions): (options: CacheOptions) => Cache {
  const groups = redis && createCacheGroups(redis);
  const changes = createOwnChanges();
  return (options) => createCache(options, { groups, trust, changes, metrics });
}

interface Shared {
  groups: CacheGroups | undefined;
  trust: CacheTrust;
  changes: OwnChanges;
  metrics: Metrics;
}

/** @throws RangeError for a lifetime beyond its bound */
function createCache(
  { name, lifetime, lifetimeOfNothing = lifetime }: CacheOptions,
  { groups, trust, changes, metrics }: Shared,
): Cache {
  for (const each of [lifetime, lifetimeOfNothing])
    if (!(each > 0 && each <= MAX_LIFETIME))
      throw new RangeError(
        `The cache ${name} would keep entries for ${each} ms; the most is ${MAX_LIFETIME}`,
      );
  const copies = createFreshCopies(changes);
  const groupOf = (each: string) => `${name}:${each}`;
  const count = (result: 'memory' | 'redis' | 'shared' | 'miss' | 'alone') =>
    metrics.cacheReads.inc({ cache: name, result });
  const newLifetime = () => Math.ceil(lifetime * (1 - Math.random() / 5));

  /** Empty where Redis is unavailable, or must not be used. */
  const find = async (addresses: CacheAddress[], begunAt: number): Promise<(Found | undefined)[]> => {
    const epoch = groups && (await trust.epoch(begunAt));
    if (groups === undefined || epoch === undefined) return [];
    const findOne = (address: CacheAddress) =>
      groups.find({ ...address, epoch, lifetime: newLifetime() }).catch(() => undefined);
    return Promise.all(addresses.map(findOne));
  };
  /** If it fails, the next reader loads. */
  const store = (group: string, key: string, found: Found | undefined, loaded: Loaded): void => {
    const token = tokenIn(found);
    if (token === undefined) return;
    const { value, kept = value, version } = loaded;
    const shorter = value === null ? lifetimeOfNothing : undefined;
    const options = { version, maxEntries: MAX_ENTRIES, lifetime: shorter };
    groups?.put({ group, key, token }, kept, options).catch(() => undefined);
  };
  const fetch = async (group: string, key: string, load: Load, restore?: Restore): Promise<Copy> => {
    const seenAt = performance.now();
    const [found] = await find([{ group, key }], seenAt);
    const kept = valueIn(found);
    if (kept !== undefined) {
      count('redis');
      return restore === undefined
        ? { value: kept, hit: true, seenAt }
        : { ...(await restore(kept)), seenAt };
    }
    count(found === undefined ? 'alone' : 'miss');
    metrics.cacheLoads.inc({ cache: name });
    const loaded = await load();
    store(group, key, found, loaded);
    return { value: loaded.value, parts: loaded.parts, hit: false, seenAt };
  };
  /** Resolves when every read that begins here shows the change, and every one elsewhere within a second. */
  const report = async (
    names: string[],
    message: (groups: CacheGroups) => Promise<unknown>,
  ): Promise<void> => {
    try {
      if (groups !== undefined) await message(groups);
    } catch {
      metrics.degraded.inc({ feature: `cache_${name}` });
      await trust.renew();
    } finally {
      changes.note(names.map(groupOf));
    }
  };

  return {
    groupOf,

    async read(ofGroup, key, load, restore) {
      const now = performance.now();
      const group = groupOf(ofGroup);
      const id = `${group}\n${key}`;
      const copy = copies.get(id, group, now);
      if (copy !== undefined) {
        count('memory');
        return copy;
      }
      const shared = await copies.share(id, group, now, () => fetch(group, key, load, restore));
      if (shared.isShared) count('shared');
      return shared.copy;
    },

    async readAll(names, load) {
      const addresses = names.map((each) => ({ group: groupOf(each), key: '' }));
      const found = await find(addresses, performance.now());
      const missing = names.filter((_, i) => valueIn(found[i]) === undefined);
      if (missing.length > 0) metrics.cacheLoads.inc({ cache: name });
      const loaded = missing.length === 0 ? undefined : await load(missing);
      const values = names.map((each, i) => {
        const kept = valueIn(found[i]);
        if (kept !== undefined) return kept;
        const made = loaded?.get(each) ?? { value: null };
        store(groupOf(each), '', found[i], made);
        return made.value;
      });
      return { values, hit: missing.length === 0 };
    },

    invalidate: (names) => report(names, (all) => all.invalidate(names.map(groupOf))),

    replace(versions) {
      const next = versions.map((each) => ({ ...each, group: groupOf(each.group), lifetime: newLifetime() }));
      return report(
        versions.map(({ group }) => group),
        (all) => all.replace(next),
      );
    },
  };
}

const valueIn = (found: Found | undefined): CacheValue | undefined =>
  found !== undefined && found !== 'changing' && 'value' in found ? found.value : undefined;

const tokenIn = (found: Found | undefined): string | undefined =>
  found !== undefined && found !== 'changing' && 'token' in found ? found.token : undefined;
