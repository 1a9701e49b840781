import type { RedisConnection } from './connect.ts';

/** Generations live longer than any entry: one that is lost only makes its entries unreachable. */
const GENERATION_LIFETIME = 15 * 60_000;
/** Entries of the store in memory; the least recently written go first. */
const MAX_MEMORY_ENTRIES = 10_000;

export interface CacheStore {
  /** The group's generation (`fresh` becomes it when there is none) and the text stored under it. */
  find(group: string, key: string, fresh: string): Promise<{ generation: string; value: string | null }>;
  put(group: string, generation: string, key: string, value: string, milliseconds: number): Promise<void>;
  /** Gives each group a generation that was never used. */
  renew(groups: string[], fresh: () => string): Promise<void>;
}

/** One round trip for generation and entry. KEYS: generation. ARGV: entry prefix, entry name, fresh generation, its lifetime. */
const FIND = `
local generation = redis.call('GET', KEYS[1])
if not generation then
  generation = ARGV[3]
  redis.call('SET', KEYS[1], generation, 'PX', ARGV[4])
end
return { generation, redis.call('GET', ARGV[1] .. generation .. ':' .. ARGV[2]) }`;

export function createRedisCacheStore({ client, run, prefix }: RedisConnection): CacheStore {
  client.defineCommand('cacheFind', { numberOfKeys: 1, lua: FIND });
  const find = client as unknown as Record<
    'cacheFind',
    (...args: (string | number)[]) => Promise<[string, string | null]>
  >;
  const generationKey = (group: string) => `${prefix}generation:${group}`;
  const entryPrefix = (group: string) => `${prefix}cache:${group}:`;
  return {
    async find(group, key, fresh) {
      const [generation, value] = await run(() =>
        find.cacheFind(generationKey(group), entryPrefix(group), key, fresh, GENERATION_LIFETIME),
      );
      return { generation, value };
    },
    async put(group, generation, key, value, milliseconds) {
      await run((redis) => redis.set(`${entryPrefix(group)}${generation}:${key}`, value, 'PX', milliseconds));
    },
    async renew(groups, fresh) {
      await run((redis) =>
        Promise.all(
          groups.map((group) => redis.set(generationKey(group), fresh(), 'PX', GENERATION_LIFETIME)),
        ),
      );
    },
  };
}

export function createMemoryCacheStore(): CacheStore {
  const generations = new Map<string, string>();
  const entries = new Map<string, { value: string; endsAt: number }>();
  const trim = (map: Map<string, unknown>) => {
    for (const oldest of map.keys()) {
      if (map.size <= MAX_MEMORY_ENTRIES) return;
      map.delete(oldest);
    }
  };
  return {
    async find(group, key, fresh) {
      const generation = generations.get(group) ?? fresh;
      if (generation === fresh) generations.set(group, generation);
      trim(generations);
      const entry = entries.get(`${group}:${generation}:${key}`);
      return { generation, value: entry !== undefined && entry.endsAt > Date.now() ? entry.value : null };
    },
    async put(group, generation, key, value, milliseconds) {
      entries.set(`${group}:${generation}:${key}`, { value, endsAt: Date.now() + milliseconds });
      trim(entries);
    },
    async renew(groups, fresh) {
      for (const group of groups) generations.set(group, fresh());
    },
  };
}
