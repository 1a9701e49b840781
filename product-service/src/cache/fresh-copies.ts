import type { CacheValue } from '@shop/service-kit/redis/cache-groups';
import { LRUCache } from 'lru-cache';

/**
 * How long a response is served from the process before Redis is asked again, in milliseconds. With the half second in
 * which every replica learns of a new epoch, a change shows within the second of the HTTP contract.
 */
const FRESH = 400;
/** Bytes of responses that are kept in the process. */
const MAX_BYTES = 4 * 1024 * 1024;
/** Memory of a copy without its response, and of each of its parts, in bytes, roughly. */
const OVERHEAD = 300;
const PART = 40;

/** A response that was right at `seenAt`, by `performance.now()`. */
export interface Copy {
  readonly value: CacheValue;
  /** Other groups that it was made of. */
  readonly parts?: readonly string[] | undefined;
  /** Nothing was loaded for it. */
  readonly hit: boolean;
  readonly seenAt: number;
}

interface Flight {
  readonly begunAt: number;
  readonly copy: Promise<Copy>;
}

/**
 * Groups that this process has changed lately. A response seen before the change is no longer served, even if it arrives
 * from Redis afterwards.
 */
export function createOwnChanges() {
  /** In the order of the changes, by `performance.now()`. */
  const changedAt = new Map<string, number>();
  let latest = Number.NEGATIVE_INFINITY;
  return {
    /** Call after Redis has invalidated them. */
    note(groups: readonly string[]): void {
      latest = performance.now();
      for (const [group, at] of changedAt) {
        if (latest - at < FRESH) break;
        changedAt.delete(group);
      }
      for (const group of groups) {
        changedAt.delete(group);
        changedAt.set(group, latest);
      }
    },

    /** Whether one of these groups has changed since, at most FRESH ago. */
    anySince(time: number, group: string, parts: readonly string[] = []): boolean {
      if (time > latest) return false;
      const isLater = (each: string) => (changedAt.get(each) ?? Number.NEGATIVE_INFINITY) >= time;
      return isLater(group) || parts.some(isLater);
    },
  };
}

export type OwnChanges = ReturnType<typeof createOwnChanges>;

/** Responses that are served from the process for a moment, and those that are being fetched. */
export function createFreshCopies(changes: OwnChanges) {
  const copies = new LRUCache<string, Copy>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ value, parts = [] }) => OVERHEAD + PART * parts.length + (value?.bytes.length ?? 0),
  });
  const flights = new Map<string, Flight>();
  /** Whether a read that begins at `now` may be served a copy that was current at `seenAt`. */
  const isRight = (group: string, { seenAt, parts }: Pick<Copy, 'seenAt' | 'parts'>, now: number): boolean =>
    seenAt >= now || (now - seenAt < FRESH && !changes.anySince(seenAt, group, parts));
  const keep = (id: string, copy: Copy): void => {
    if ((copies.peek(id)?.seenAt ?? 0) <= copy.seenAt) copies.set(id, { ...copy, hit: true });
  };

  const takeOff = (id: string, fetch: () => Promise<Copy>): Promise<Copy> => {
    const begunAt = performance.now();
    const copy = fetch()
      .then((fetched) => {
        keep(id, fetched);
        return fetched;
      })
      .finally(() => {
        if (flights.get(id) === flight) flights.delete(id);
      });
    const flight: Flight = { begunAt, copy };
    flights.set(id, flight);
    return copy;
  };

  return {
    get(id: string, group: string, now: number): Copy | undefined {
      const copy = copies.get(id);
      return copy !== undefined && isRight(group, copy, now) ? copy : undefined;
    },

    /** The response that another read is fetching, if it is right for a read that began at `now`; otherwise fetches it. */
    async share(
      id: string,
      group: string,
      now: number,
      fetch: () => Promise<Copy>,
    ): Promise<{ copy: Copy; isShared: boolean }> {
      for (;;) {
        const flight = flights.get(id);
        if (flight === undefined || !isRight(group, { seenAt: flight.begunAt }, now))
          return { copy: await takeOff(id, fetch), isShared: false };
        const copy = await flight.copy;
        if (isRight(group, copy, now)) return { copy, isShared: true };
      }
    },
  };
}
