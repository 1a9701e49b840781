/** Bytes of a finished response and their tag. */
export interface CachedBytes {
  readonly etag: string;
  readonly bytes: Buffer;
  /** For a response that can be replaced: grows with every change of what it shows. */
  readonly version?: number | undefined;
  /** For a response made of others: the groups of these parts. */
  readonly parts?: readonly string[] | undefined;
}

/** Null says that there is nothing, which is a response too. */
export type CacheValue = CachedBytes | null;

/** What a kept response costs in memory beside its bytes, about. */
const OVERHEAD = 300;
/** The same for the name of a part. */
const PART = 40;

/** What a kept response takes in memory, in bytes. */
export const sizeOf = (value: CacheValue): number =>
  OVERHEAD + PART * (value?.parts?.length ?? 0) + (value?.bytes.length ?? 0);

export interface CacheAddress {
  group: string;
  key: string;
}

/** Leave to load an entry and to store it; whoever has none must not store. */
export interface Claim extends CacheAddress {
  id: string;
  generation: string;
  /** By the store's clock. */
  loadedAt: number;
  /** How many changes the store had been told of before the load. */
  seen: number;
}

interface FindOptions {
  /** The id of the entry that the caller has already: its value is not sent again. */
  known: string | undefined;
  /** Milliseconds since its load that an entry may be served although its group was invalidated. */
  maxAge: number;
  /** For the caller's claim, never used before. */
  id: string;
}

export interface Stored {
  id: string;
  /** Milliseconds since it was loaded. */
  age: number;
  /** Its group was not invalidated since. */
  isCurrent: boolean;
  /** Undefined: the entry that the caller knows. */
  value: CacheValue | undefined;
  /** How many changes the store has been told of. */
  seen: number;
  /** The parts that have changed since, as they are now; undefined is one that is not kept. */
  changed: Map<string, CacheValue | undefined>;
}

/** What takes the place of an entry. */
export interface Replacement<Value extends CachedBytes = CachedBytes> extends CacheAddress {
  value: Value;
  /** Never used before. */
  id: string;
}

export interface NewVersion extends Replacement<CachedBytes & { readonly version: number }> {
  /** Milliseconds. */
  lifetime: number;
}

export interface Patched extends Replacement {
  /** The entry that was patched. */
  from: string;
  /** How many changes it shows. */
  seen: number;
}

/** A part is the only entry of its group, under the key ''. */
export interface CacheStore {
  /** The entry, or the claim to load it, or the word that another process is loading it. */
  find(
    address: CacheAddress,
    options: FindOptions,
  ): Promise<{ stored: Stored } | { claim: Claim } | 'loading'>;
  /** Stores what was loaded under a claim and gives the claim up; does nothing when the claim is lost. */
  put(claim: Claim, value: CacheValue, milliseconds: number): Promise<void>;
  /** Gives a claim up whose load failed. */
  release(claim: Claim): Promise<void>;
  /** Invalidates groups: what was loaded before is no longer current. `again` tries also while Redis is given a rest. */
  invalidate(groups: string[], newGeneration: () => string, again?: 'again'): Promise<void>;
  /**
   * Invalidates the group; and where its entry was current until now, the next version takes its place. Where that was of the
   * same or a later version, it stays: it has seen this change. So of changes that report in another order than they were
   * made, the last one remains, and nothing is kept that nobody has asked for.
   */
  replace(next: NewVersion): Promise<void>;
  /** Puts an entry with its changed parts renewed in the place of the same one with the old parts. */
  patch(patched: Patched): Promise<void>;
}
