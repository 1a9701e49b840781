import { setTimeout as sleep } from 'node:timers/promises';
import { withOwnTime } from '../deadline/deadline.ts';
import type { Query } from '../postgres/query.ts';

/** How long a process uses the cache without reading the epoch again, in milliseconds. */
const LEASE = 500;
/** The age at which it reads the epoch again while reads go on, in milliseconds: none of them has to wait. */
const RENEW = 350;
/** How long no replica uses the cache after `distrust`, in milliseconds. */
const DISTRUST = 10_000;
/** The share of that which must be left for a change that begins: longer than any statement (`pool-settings.ts`). */
const LEFT_FOR_A_CHANGE = 0.5;
/** Time limit of both statements, in milliseconds. */
const STATEMENT = 1000;
/** When an epoch that could not be written is tried again, in milliseconds. */
const RETRY = 1000;

/**
 * The epoch of what may be used of Redis. A replica that cannot report a change to Redis begins a new one: nothing that
 * was stored before is used then, also not by a replica that still reaches Redis. It is a row of the service's database,
 * `cache_trust`, which each process reads at most once per RENEW, and only while it serves reads (docs/caching.md).
 */
export interface CacheTrust {
  /**
   * The epoch of entries that a read that began at `begunAt` may be served, and store.
   * @returns undefined while the cache is not to be used, or the database cannot be read
   */
  epoch(begunAt: number): string | undefined | Promise<string | undefined>;
  /** Begins a new epoch. Reads that begin afterwards are in it: in this process at once, on other replicas LEASE later. */
  renew(): Promise<void>;
  /** Resolves when reads that begin afterwards are in the new epoch on every replica. */
  renewEverywhere(): Promise<void>;
  /** The same, and no replica uses the cache for some seconds: further changes need not wait for the other replicas. */
  distrust(): Promise<void>;
}

/**
 * @param query of a database with the table `cache_trust (epoch, distrusted_until)`, which has one row
 * @param lasts milliseconds of a distrust
 */
export function createCacheTrust(query: Query, lasts = DISTRUST): CacheTrust {
  let last: { askedAt: number; epoch: string | undefined } | undefined;
  let asking: { askedAt: number; epoch: Promise<string | undefined> } | undefined;
  /** When this process last wrote: what it asked for earlier may be from before. */
  let wroteAt = Number.NEGATIVE_INFINITY;
  let writing: Promise<unknown> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  let distrusting: Promise<void> | undefined;
  /** All replicas know of the distrust from then on, and until then; by the clock of `performance.now()`. */
  let knownFrom = Number.POSITIVE_INFINITY;
  let until = Number.NEGATIVE_INFINITY;

  const ask = async (askedAt: number) => {
    const rows = await withOwnTime(
      STATEMENT,
      () => query<Row[]>`
        SELECT epoch::text, distrusted_until > clock_timestamp() AS "isDistrusted" FROM cache_trust`,
    );
    const epoch = usable(rows);
    if (askedAt > wroteAt && askedAt > (last?.askedAt ?? 0)) last = { askedAt, epoch };
    return epoch;
  };
  const startAsking = () => {
    const askedAt = performance.now();
    const epoch = ask(askedAt)
      .catch(() => undefined)
      .finally(() => {
        if (asking?.askedAt === askedAt) asking = undefined;
      });
    asking = { askedAt, epoch };
    return epoch;
  };

  const write = async (milliseconds: number) => {
    const startedAt = performance.now();
    const rows = await withOwnTime(
      STATEMENT,
      () => query<Row[]>`
        UPDATE cache_trust
           SET epoch = gen_random_uuid(),
               distrusted_until = greatest(distrusted_until, clock_timestamp() + make_interval(secs => ${milliseconds / 1000}::float8))
        RETURNING epoch::text, distrusted_until > clock_timestamp() AS "isDistrusted"`,
    );
    wroteAt = performance.now();
    last = { askedAt: startedAt, epoch: usable(rows) };
    asking = undefined;
    return startedAt;
  };
  // Of several changes, those share a statement that were committed before it begins.
  const renew = (): Promise<void> => {
    waiting ??= writing.then(async () => {
      waiting = undefined;
      const written = write(0);
      writing = written.catch(() => undefined);
      await written.catch((error: unknown) => {
        // The change is committed, and must show when the database is back, also if its client does not repeat it.
        setTimeout(() => renew().catch(() => undefined), RETRY).unref();
        throw error;
      });
    });
    return waiting;
  };
  const writeDistrust = async () => {
    const startedAt = await write(lasts);
    if (startedAt > until) knownFrom = performance.now() + LEASE;
    until = startedAt + lasts;
  };

  return {
    epoch(begunAt) {
      const age = begunAt - (last?.askedAt ?? Number.NEGATIVE_INFINITY);
      if (age < LEASE) {
        if (age > RENEW && asking === undefined) void startAsking();
        return last?.epoch;
      }
      return asking !== undefined && begunAt - asking.askedAt < LEASE ? asking.epoch : startAsking();
    },

    renew,

    async renewEverywhere() {
      await renew();
      await sleep(LEASE);
    },

    async distrust() {
      if (performance.now() > until - lasts * LEFT_FOR_A_CHANGE) {
        distrusting ??= writeDistrust().finally(() => {
          distrusting = undefined;
        });
        await distrusting;
      }
      const wait = knownFrom - performance.now();
      if (wait > 0) await sleep(wait);
    },
  };
}

interface Row {
  epoch: string;
  isDistrusted: boolean;
}

const usable = ([row]: Row[]): string | undefined => (row?.isDistrusted === false ? row.epoch : undefined);
