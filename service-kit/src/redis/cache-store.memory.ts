import { LRUCache } from 'lru-cache';
import type { CacheAddress, CacheStore, CacheValue, Claim } from './cache-store.ts';

/** Groups that ended are remembered up to this number; then everything is forgotten together. */
const MAX_GENERATIONS = 10_000;
/** What an entry costs beside its bytes, about. */
const OVERHEAD = 300;

interface Entry {
  claim: Claim;
  value: CacheValue;
}

/** What a cache entry takes in memory, in bytes. */
export const sizeOf = (value: CacheValue): number => OVERHEAD + (value?.bytes.length ?? 0);

/** The same rules in one process without Redis. @param maxBytes the least recently used entries go first */
export function createMemoryCacheStore(maxBytes: number): CacheStore {
  const generations = new Map<string, string>();
  const entries = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    sizeCalculation: ({ value }) => sizeOf(value),
  });
  const claims = new Map<string, string>();
  const nameOf = ({ group, key }: CacheAddress) => `${group}:${key}`;
  const generationOf = (group: string) => generations.get(group) ?? '';
  return {
    async find(address, { known, maxAge, id }) {
      const name = nameOf(address);
      const generation = generationOf(address.group);
      const entry = entries.get(name);
      if (entry !== undefined) {
        const age = Date.now() - entry.claim.loadedAt;
        const isCurrent = entry.claim.generation === generation;
        if (isCurrent || age < maxAge) {
          const value = entry.claim.id === known ? undefined : entry.value;
          return { stored: { id: entry.claim.id, age, isCurrent, value } };
        }
      }
      if (claims.has(`${name}:${generation}`)) return 'loading';
      claims.set(`${name}:${generation}`, id);
      return { claim: { ...address, id, generation, loadedAt: Date.now() } };
    },
    async put(claim, value, milliseconds) {
      const name = nameOf(claim);
      if (claims.get(`${name}:${claim.generation}`) !== claim.id) return;
      claims.delete(`${name}:${claim.generation}`);
      if ((entries.peek(name)?.claim.loadedAt ?? 0) > claim.loadedAt) return;
      entries.set(name, { claim, value }, { ttl: milliseconds });
    },
    async release(claim) {
      claims.delete(`${nameOf(claim)}:${claim.generation}`);
    },
    async end(groups, newGeneration) {
      if (generations.size > MAX_GENERATIONS) {
        generations.clear();
        entries.clear();
        claims.clear();
      }
      for (const group of groups) generations.set(group, newGeneration());
    },
  };
}
