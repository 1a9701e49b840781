import { setTimeout as sleep } from 'node:timers/promises';
import { withOwnTime } from '../deadline/deadline.ts';
import type { Query } from '../postgres/query.ts';

/** For how long a process trusts the cache without looking at the database again, in milliseconds. */
const LEASE = 500;
/** The age at which it looks again while reads go on, in milliseconds: none of them has to wait. */
const RENEW = 350;
/** How long no replica trusts the cache after a change that could not be reported to Redis, in milliseconds. */
const DISTRUST = 20_000;
/** The share of that which must be left for a change that begins: longer than any statement (`pool-settings.ts`). */
const LEFT_FOR_A_CHANGE = 0.5;
/** Time limit of both statements, in milliseconds. */
const STATEMENT = 1000;

/**
 * Whether what Redis holds may be used. Redis alone cannot say: a replica that has lost it may change what another one
 * still reads there. Such a replica writes to the table `cache_trust` of the service's database, which every replica reads
 * at most once per RENEW, and only while it serves reads (docs/caching.md).
 */
export interface CacheTrust {
  /**
   * The epoch of entries that a read that began at `begunAt` may be served, and store.
   * @returns undefined while the cache is not to be trusted, or the database does not say so
   */
  epoch(begunAt: number): string | undefined | Promise<string | undefined>;
  /** Resolves when no read that begins from now on trusts what was stored until now, on any replica. */
  distrust(): Promise<void>;
}

/**
 * @param query of a database with the table `cache_trust (epoch, distrusted_until)`, which has one row
 * @param lasts milliseconds of a distrust
 */
export function createCacheTrust(query: Query, lasts = DISTRUST): CacheTrust {
  let last: { askedAt: number; epoch: string | undefined } | undefined;
  let asking: { askedAt: number; epoch: Promise<string | undefined> } | undefined;
  let distrusting: Promise<void> | undefined;
  /** All replicas know of the distrust from then on, and until then; by the clock of `performance.now()`. */
  let knownFrom = Number.POSITIVE_INFINITY;
  let until = Number.NEGATIVE_INFINITY;

  const ask = async (askedAt: number) => {
    const rows = await withOwnTime(
      STATEMENT,
      () => query<{ epoch: string; isDistrusted: boolean }[]>`
        SELECT epoch::text, distrusted_until > clock_timestamp() AS "isDistrusted" FROM cache_trust`,
    );
    const epoch = rows[0]?.isDistrusted === false ? rows[0].epoch : undefined;
    if (last === undefined || last.askedAt < askedAt) last = { askedAt, epoch };
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

  const write = async () => {
    const startedAt = performance.now();
    await withOwnTime(
      STATEMENT,
      () => query`
        UPDATE cache_trust
           SET epoch = gen_random_uuid(),
               distrusted_until = greatest(distrusted_until, clock_timestamp() + make_interval(secs => ${lasts / 1000}::float8))`,
    );
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

    async distrust() {
      if (performance.now() > until - lasts * LEFT_FOR_A_CHANGE) {
        distrusting ??= write().finally(() => {
          distrusting = undefined;
        });
        await distrusting;
      }
      const wait = knownFrom - performance.now();
      if (wait > 0) await sleep(wait);
    },
  };
}
