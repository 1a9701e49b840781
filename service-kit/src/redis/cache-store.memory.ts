import { LRUCache } from 'lru-cache';
import {
  type CacheAddress,
  type CacheStore,
  type CacheValue,
  type Claim,
  type Stored,
  sizeOf,
} from './cache-store.ts';

/** Groups that were invalidated are remembered up to this number; then everything is forgotten together. */
const MAX_GROUPS = 10_000;

interface Group {
  generation: string;
  /** How many changes there were by its last one. */
  changedAt: number;
}

interface Entry {
  id: string;
  generation: string;
  loadedAt: number;
  seen: number;
  value: CacheValue;
}

/** The same rules in one process without Redis. @param maxBytes the least recently used entries go first */
export function createMemoryCacheStore(maxBytes: number): CacheStore {
  const groups = new Map<string, Group>();
  const entries = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    sizeCalculation: ({ value }) => sizeOf(value),
  });
  const claims = new Map<string, string>();
  let changes = 0;

  const nameOf = ({ group, key }: CacheAddress) => `${group}:${key}`;
  const generationOf = (group: string) => groups.get(group)?.generation ?? '';
  const changedParts = ({ value, seen }: Entry): Stored['changed'] => {
    const changed = (value?.parts ?? []).filter((part) => (groups.get(part)?.changedAt ?? 0) > seen);
    return new Map(
      changed.map((part) => {
        const entry = entries.peek(`${part}:`);
        return [part, entry?.generation === generationOf(part) ? entry.value : undefined];
      }),
    );
  };
  const storedOf = (entry: Entry, isCurrent: boolean): Stored => {
    const changed = isCurrent ? changedParts(entry) : new Map();
    const { id, value, loadedAt } = entry;
    return { id, age: Date.now() - loadedAt, isCurrent, value, seen: changes, changed };
  };
  const change = (group: string, generation: string) => {
    if (groups.size > MAX_GROUPS) {
      groups.clear();
      entries.clear();
      claims.clear();
    }
    changes += 1;
    groups.set(group, { generation, changedAt: changes });
  };
  return {
    async find(address, { known, maxAge, id }) {
      const name = nameOf(address);
      const generation = generationOf(address.group);
      const entry = entries.get(name);
      const stored = entry && storedOf(entry, entry.generation === generation);
      if (stored !== undefined && (stored.isCurrent || stored.age < maxAge))
        return { stored: stored.id === known ? { ...stored, value: undefined } : stored };
      if (claims.has(`${name}:${generation}`)) return 'loading';
      claims.set(`${name}:${generation}`, id);
      return { claim: { ...address, id, generation, loadedAt: Date.now(), seen: changes } };
    },
    async put({ id, generation, loadedAt, seen, ...address }, value, milliseconds) {
      const name = nameOf(address);
      if (claims.get(`${name}:${generation}`) !== id) return;
      claims.delete(`${name}:${generation}`);
      if ((entries.peek(name)?.loadedAt ?? 0) > loadedAt) return;
      entries.set(name, { id, generation, loadedAt, seen, value }, { ttl: milliseconds });
    },
    async release(claim: Claim) {
      claims.delete(`${nameOf(claim)}:${claim.generation}`);
    },
    async invalidate(names, newGeneration) {
      for (const group of names) change(group, newGeneration());
    },
    async replace({ value, lifetime, id, ...address }) {
      const name = nameOf(address);
      const generation = generationOf(address.group);
      const entry = entries.peek(name);
      const before = entry?.generation === generation ? entry.value?.version : undefined;
      if (before !== undefined && before >= value.version) return change(address.group, generation);
      change(address.group, id);
      if (before === undefined || entries.peek(name) === undefined) return;
      const next = { id, generation: id, loadedAt: Date.now(), seen: changes, value };
      entries.set(name, next, { ttl: lifetime });
    },
    async patch({ from, id, seen, value, ...address }) {
      const name = nameOf(address);
      const entry = entries.peek(name);
      if (entry?.id !== from) return;
      entries.set(name, { ...entry, id, seen, value }, { ttl: entries.getRemainingTTL(name) });
    },
  };
}
