import type { RedisConnection } from '@shop/service-kit/redis/connect';
import type { Metrics } from '@shop/service-kit/runtime/metrics';
import { type AttemptLimit, createLocalWindows, createSharedWindows } from './attempt.windows.ts';
import { TooManyFailures } from './credential.errors.ts';

/** Whose password is tried, and from where. */
export interface Attempt {
  account: string;
  /** An address that tries many accounts is refused as well; left out for a user who is signed in. */
  address?: string | undefined;
}

export interface AttemptCounter {
  /**
   * Counts an attempt before it is made, so that parallel ones cannot slip through.
   * @returns takes the count back, for an attempt that did not fail
   * @throws TooManyFailures, which does not reveal which count is full
   */
  take(attempt: Attempt): Promise<TakeBack>;
  /** Clears the counts of the account. */
  forget(account: string): Promise<void>;
}

/** @param wasRight the password was right: the account's next lock is a short one again. Never rejects */
type TakeBack = (wasRight: boolean) => Promise<void>;

interface AttemptCounterOptions {
  account: AttemptLimit;
  address: AttemptLimit;
  redis: RedisConnection | undefined;
  metrics: Metrics;
  /** Of the windows in memory, in milliseconds; setting the machine's clock neither ends nor lengthens one. */
  clock?: () => number;
}

/** Failed attempts in windows, shared through Redis; in this process's memory while it is unavailable. */
export function createAttemptCounter({
  redis,
  metrics,
  clock = () => performance.now(),
  ...limits
}: AttemptCounterOptions): AttemptCounter {
  const local = createLocalWindows(clock);
  const shared = redis && createSharedWindows(redis);
  const nothing = () => undefined;
  metrics.rejections.inc({ limit: 'login_failures' }, 0);

  const takeShared = async (
    windows: NonNullable<typeof shared>,
    counted: Parameters<typeof local.take>[0],
  ) => {
    const wait = await windows.take(counted).catch(nothing);
    if (wait === undefined) metrics.degraded.inc({ feature: 'login_failures' });
    return wait;
  };
  return {
    async forget(account) {
      local.forget(account);
      await shared?.forget(account).catch(nothing);
    },

    async take({ account, address }) {
      const counted = [{ key: account, ...limits.account }];
      if (address !== undefined) counted.push({ key: address, ...limits.address });
      const sharedWait = shared && (await takeShared(shared, counted));
      const wait = sharedWait ?? local.take(counted);
      if (wait > 0) {
        metrics.rejections.inc({ limit: 'login_failures' });
        throw new TooManyFailures(Math.ceil(wait / 1000));
      }
      const keys = counted.map(({ key }) => key);
      return async (wasRight) => {
        if (sharedWait === undefined) local.giveBack(keys, wasRight);
        else await shared?.giveBack(keys, wasRight).catch(nothing);
      };
    },
  };
}

/** Counts nothing: for `RATE_LIMIT_ENABLED=false`. */
export const unlimitedAttempts: AttemptCounter = {
  take: async () => async () => undefined,
  forget: async () => undefined,
};
