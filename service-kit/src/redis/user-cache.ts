import { AppError } from '../errors/app-error.ts';
import { wasRolledBack } from '../postgres/database-errors.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { type CachedBytes, createCacheGroups, newName } from './cache-groups.ts';
import type { CacheTrust } from './cache-trust.ts';
import type { RedisConnection } from './connect.ts';

/** How long a user's responses are stored after the first, in milliseconds; changes invalidate them earlier. */
const LIFETIME = 300_000;
/** The most responses of one user, and the most bytes of each. */
const MAX_ENTRIES = 50;
const MAX_BYTES = 100_000;

export interface UserCacheOptions {
  /** Names the cache in keys and metrics. */
  name: string;
  /** Without it every read is a load. */
  redis: RedisConnection | undefined;
  trust: CacheTrust;
  metrics: Metrics;
}

export interface UserRead extends CachedBytes {
  hit: boolean;
}

/** A response, and whether it may be stored: it must depend on nothing that changes without the user's group. */
type Load = () => Promise<CachedBytes & { keep?: boolean }>;

/**
 * Responses that belong to one user, and show every change that was acknowledged before the read began, on every replica
 * (docs/caching.md). Each read asks Redis; nothing is kept in the process.
 */
export interface UserCache {
  /** @param key names the response, and the view that it is of */
  read(userId: number, key: string, load: Load): Promise<UserRead>;
  /**
   * Makes a change of what these users see: every statement that changes it must run inside, and the change must be
   * committed when `change` resolves. If it fails, it may still be committed later, unless the error is a refusal (an AppError
   * below 500) or comes from Postgres. Acknowledge the change after this has resolved.
   */
  whileChanging<T>(userIds: readonly number[], change: () => Promise<T>): Promise<T>;
  /** The same for work that need not wait from its start: it must await `begun()` before its first such statement. */
  whilePreparing<T>(userIds: readonly number[], work: (begun: () => Promise<void>) => Promise<T>): Promise<T>;
}

export function createUserCache({ name, redis, trust, metrics }: UserCacheOptions): UserCache {
  const counts = {
    redis: metrics.cacheReads.labels({ cache: name, result: 'redis' }),
    miss: metrics.cacheReads.labels({ cache: name, result: 'miss' }),
    alone: metrics.cacheReads.labels({ cache: name, result: 'alone' }),
    loads: metrics.cacheLoads.labels({ cache: name }),
    unreported: metrics.degraded.labels({ feature: `cache_${name}` }),
  };
  const loadAlone = async (load: Load): Promise<UserRead> => {
    counts.alone.inc();
    counts.loads.inc();
    return { ...(await load()), hit: false };
  };
  if (redis === undefined)
    return {
      read: (_userId, _key, load) => loadAlone(load),
      whileChanging: (_userIds, change) => change(),
      whilePreparing: (_userIds, work) => work(() => Promise.resolve()),
    };

  const groups = createCacheGroups(redis);
  const groupOf = (userId: number) => `${name}:${userId}`;
  const find = async (group: string, key: string, begunAt: number) => {
    const epoch = await trust.epoch(begunAt);
    if (epoch === undefined) return undefined;
    return groups.find({ group, key, epoch, lifetime: LIFETIME }).catch(() => undefined);
  };
  const announce = async (userIds: readonly number[], name: string, phase: 'begin' | 'end' | 'leave') => {
    const isAway = redis.hasFailedTwice();
    const send = groups[`${phase}Change`];
    try {
      await Promise.all(userIds.map((userId) => send({ group: groupOf(userId), name })));
    } catch {
      counts.unreported.inc();
      if (isAway || phase === 'leave') await trust.distrust();
      else if (phase === 'end') await trust.renewEverywhere();
    }
  };
  /** For a change that did not take place: nobody waits for it, and without it the mark expires. */
  const forget = (userIds: readonly number[], name: string) => {
    for (const userId of userIds) groups.endChange({ group: groupOf(userId), name }).catch(() => undefined);
  };
  const whilePreparing: UserCache['whilePreparing'] = async (userIds, work) => {
    const users = [...new Set(userIds)];
    const name = newName();
    const begun = announce(users, name, 'begin');
    // The work may fail before it awaits it.
    begun.catch(() => undefined);
    let mayHaveChanged = false;
    const begin = () => {
      mayHaveChanged = true;
      return begun;
    };
    let phase: 'end' | 'leave' = 'end';
    try {
      return await work(begin);
    } catch (error) {
      if (mayHaveChanged && !isDecided(error)) phase = 'leave';
      throw error;
    } finally {
      await begun.catch(() => undefined);
      if (mayHaveChanged) await announce(users, name, phase);
      else forget(users, name);
    }
  };

  return {
    async read(userId, key, load) {
      const group = groupOf(userId);
      const found = await find(group, key, performance.now());
      if (found === undefined || found === 'changing') return loadAlone(load);
      if ('value' in found && found.value !== null) {
        counts.redis.inc();
        return { ...found.value, hit: true };
      }
      counts.miss.inc();
      counts.loads.inc();
      const { keep = true, ...loaded } = await load();
      if ('token' in found && keep && loaded.bytes.length <= MAX_BYTES) {
        const { token } = found;
        // If it fails, the next read loads.
        groups.put({ group, key, token }, loaded, { maxEntries: MAX_ENTRIES }).catch(() => undefined);
      }
      return { ...loaded, hit: false };
    },

    whileChanging: (userIds, change) =>
      whilePreparing(userIds, async (begun) => {
        await begun();
        return change();
      }),
    whilePreparing,
  };
}

/** Whether a failed change can no longer be committed. After a lost connection or a time limit it can. */
const isDecided = (error: unknown): boolean =>
  (error instanceof AppError && error.status < 500) || wasRolledBack(error);
