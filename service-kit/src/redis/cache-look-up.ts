import { setTimeout as sleep } from 'node:timers/promises';
import type { Invalidation } from './cache-invalidation.ts';
import type { CacheAddress, CachedBytes, CacheStore, CacheValue, Claim, Stored } from './cache-store.ts';

/**
 * How late a change may be seen by other processes, in milliseconds: less than the second of the HTTP contract. So long an
 * response is served without asking Redis whether it still holds.
 */
export const FRESH = 750;
/** How often to look whether another process's load has ended, in milliseconds. After FRESH it is too old to wait for. */
const WAIT_STEP = 10;
/** What the age of a response may be wrong by: the store's clock has whole milliseconds. */
const CLOCK_STEP = 1;

/** A response and up to when it is right; times are those of `performance.now()`. */
export interface Held {
  value: CacheValue;
  id: string | undefined;
  loadedAt: number;
  seenUpTo: number;
}

/** For responses that are made of others. */
export interface Parts {
  /** Reads a part that is not kept, so that it is. */
  read(part: string): Promise<unknown>;
  /** The response with these parts in place of the old ones; null says that one is no more. */
  renew(response: CachedBytes, changed: Map<string, CacheValue>): CachedBytes;
}

interface LookUpOptions {
  store: CacheStore;
  invalidation: Invalidation;
  newId: () => string;
  parts: Parts | undefined;
  /** Called each time that the load of another process is waited for. */
  onWait: () => void;
}

export interface Found {
  held: Held;
  /** Nothing was loaded for it. */
  hit: boolean;
}

interface Kept {
  stored: Stored;
  held: Held;
}

/** Responses of the store, with their parts as they are now. */
export function createLookUp({ store, invalidation, newId, parts, onWait }: LookUpOptions) {
  const ask = async (
    address: CacheAddress,
    known: Held | undefined,
  ): Promise<Kept | Claim | 'loading' | undefined> => {
    const askedAt = performance.now();
    await invalidation.sent([address.group]);
    const sinceInvalidation = Math.max(
      0,
      Math.floor(askedAt - invalidation.invalidatedAt(address.group)) - CLOCK_STEP,
    );
    const maxAge = Math.min(FRESH, sinceInvalidation);
    const found = await store.find(address, { known: known?.id, maxAge, id: newId() });
    if (found === 'loading') return found;
    if ('claim' in found) return found.claim;
    const held = heldOf(found.stored, known, askedAt);
    const names = held.value?.parts ?? [];
    // Of parts it can only tell what it was told.
    if (await invalidation.sent(names)) return ask(address, known);
    // It does not tell of those of a response that was invalidated itself.
    const isBehind =
      !found.stored.isCurrent && names.some((part) => invalidation.invalidatedAt(part) >= held.seenUpTo);
    return isBehind ? undefined : { stored: found.stored, held };
  };

  const renewed = (address: CacheAddress, { held, stored }: Kept): Held => {
    if (parts === undefined || held.value === null || stored.changed.size === 0) return held;
    const value = parts.renew(held.value, stored.changed as Map<string, CacheValue>);
    const id = newId();
    store.patch({ ...address, from: stored.id, id, seen: stored.seen, value }).catch(() => undefined);
    return { ...held, id, value };
  };

  const askPatiently = async (address: CacheAddress, known: Held | undefined) => {
    const giveUpAt = performance.now() + FRESH;
    for (;;) {
      const isLast = performance.now() > giveUpAt;
      const response = await ask(address, known);
      if (response !== 'loading') return response;
      if (isLast) return undefined;
      onWait();
      await sleep(WAIT_STEP);
    }
  };

  /** The response, or the claim to load it; undefined when Redis cannot tell, or another process's load takes too long. */
  const lookUp = async (
    address: CacheAddress,
    known: Held | undefined,
    hit = true,
  ): Promise<Found | Claim | undefined> => {
    const kept = await askPatiently(address, known);
    if (kept === undefined || 'generation' in kept) return kept;
    const missing = partsMissingIn(kept.stored);
    if (missing.length === 0) return { held: renewed(address, kept), hit };
    // What was read a moment ago is not kept: load all instead of trying again and again.
    if (!hit) return undefined;
    await Promise.all(missing.map((part) => parts?.read(part)));
    return lookUp(address, known, false);
  };
  return lookUp;
}

const partsMissingIn = ({ changed }: Stored): string[] =>
  [...changed].flatMap(([part, value]) => (value === undefined ? part : []));

function heldOf({ id, age, isCurrent, value }: Stored, known: Held | undefined, askedAt: number): Held {
  const loadedAt = askedAt - age;
  return {
    value: value === undefined ? (known?.value ?? null) : value,
    id,
    loadedAt,
    seenUpTo: isCurrent ? askedAt : loadedAt - CLOCK_STEP,
  };
}
