import type { RedisConnection } from '@shop/service-kit/redis/connect';
import type { Metrics } from '@shop/service-kit/runtime/metrics';
import { TooManyFailures } from './password.errors.ts';

export interface AttemptCounter {
  /**
   * Counts an attempt before it is made, so that parallel ones cannot slip through.
   * @returns takes the count back, for an attempt that did not fail
   * @throws TooManyFailures
   */
  take(key: string): Promise<() => Promise<void>>;
}

interface AttemptCounterOptions {
  max: number;
  /** Length of the window, which begins with the first failure. */
  seconds: number;
  redis: RedisConnection | undefined;
  metrics: Metrics;
}

/** Keys kept in memory; the oldest go first. */
const MAX_KEYS = 10_000;

/** Answers 0 for a counted attempt, otherwise the milliseconds until the window ends. */
const TAKE = `
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then
  return math.max(redis.call('PTTL', KEYS[1]), 1)
end
if redis.call('INCR', KEYS[1]) == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`;
const GIVE_BACK = `if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end`;

/** Failed attempts in windows, shared through Redis; in this process's memory while it is away. */
export function createAttemptCounter({
  max,
  seconds,
  redis,
  metrics,
}: AttemptCounterOptions): AttemptCounter {
  const local = createLocalWindows(max, seconds * 1000);
  const shared = redis && createSharedWindows(redis, max, seconds * 1000);
  const nothing = () => undefined;

  const takeShared = async (windows: NonNullable<typeof shared>, key: string) => {
    const wait = await windows.take(key).catch(nothing);
    if (wait === undefined) metrics.degraded.inc({ feature: 'login_failures' });
    return wait;
  };
  return {
    async take(key) {
      const sharedWait = shared && (await takeShared(shared, key));
      const wait = sharedWait ?? local.take(key);
      if (wait > 0) throw new TooManyFailures(Math.ceil(wait / 1000));
      return async () => {
        if (sharedWait === undefined) local.giveBack(key);
        else await shared?.giveBack(key).catch(nothing);
      };
    },
  };
}

/** Counts nothing: for `RATE_LIMIT_ENABLED=false`. */
export const unlimitedAttempts: AttemptCounter = { take: async () => async () => undefined };

function createSharedWindows({ client, run, prefix }: RedisConnection, max: number, milliseconds: number) {
  client.defineCommand('attemptTake', { numberOfKeys: 1, lua: TAKE });
  client.defineCommand('attemptGiveBack', { numberOfKeys: 1, lua: GIVE_BACK });
  const commands = client as unknown as Record<
    'attemptTake' | 'attemptGiveBack',
    (key: string, ...args: number[]) => Promise<number>
  >;
  const keyOf = (key: string) => `${prefix}failures:${key}`;
  return {
    take: (key: string) => run(() => commands.attemptTake(keyOf(key), max, milliseconds)),
    giveBack: (key: string) => run(() => commands.attemptGiveBack(keyOf(key))),
  };
}

function createLocalWindows(max: number, milliseconds: number) {
  const windows = new Map<string, { count: number; endsAt: number }>();
  const currentOf = (key: string) => {
    const window = windows.get(key);
    return window !== undefined && window.count > 0 && window.endsAt > Date.now() ? window : undefined;
  };
  return {
    take(key: string): number {
      const window = currentOf(key) ?? { count: 0, endsAt: Date.now() + milliseconds };
      if (window.count >= max) return window.endsAt - Date.now();
      window.count += 1;
      windows.set(key, window);
      for (const oldest of windows.keys()) {
        if (windows.size <= MAX_KEYS) break;
        windows.delete(oldest);
      }
      return 0;
    },
    giveBack(key: string): void {
      const window = currentOf(key);
      if (window !== undefined) window.count -= 1;
    },
  };
}
