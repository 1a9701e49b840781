import type { RedisConnection } from '@shop/service-kit/redis/connect';

/** `max` failures in a window of `seconds`, which begins with the first of them. */
export interface AttemptLimit {
  max: number;
  seconds: number;
}

interface Counted extends AttemptLimit {
  key: string;
}

/** A window that follows a full one is twice as long, up to so many times: 15, 30, 60 minutes. */
const MAX_DOUBLINGS = 2;
/** After so long without an attempt it is forgotten that windows were full, in milliseconds. */
const QUIET = 86_400_000;
/** Keys kept in memory; the oldest go first. */
const MAX_KEYS = 10_000;

/**
 * Returns 0 after counting in every window, or the milliseconds until the last full one ends, after counting in none.
 * KEYS: windows. ARGV: for each of them how many it takes and its length in milliseconds.
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wait, windows = 0, {}
for i, key in ipairs(KEYS) do
  local max, length = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local kept = redis.call('HMGET', key, 'count', 'ends', 'doublings')
  local count, ends, doublings = tonumber(kept[1] or 0), tonumber(kept[2] or 0), tonumber(kept[3] or 0)
  if ends <= now then
    if count >= max then doublings = math.min(doublings + 1, ${MAX_DOUBLINGS}) end
    count, ends = 0, now + length * 2 ^ doublings
  end
  if count >= max then wait = math.max(wait, ends - now) end
  windows[i] = { count + 1, ends, doublings }
end
if wait > 0 then return wait end
for i, key in ipairs(KEYS) do
  local count, ends, doublings = unpack(windows[i])
  redis.call('HSET', key, 'count', count, 'ends', ends, 'doublings', doublings)
  redis.call('PEXPIRE', key, ends - now + ${QUIET})
end
return 0`;
/** KEYS: windows. ARGV: 1 where it is to be forgotten that those of the first key were full. */
const GIVE_BACK = `
for i, key in ipairs(KEYS) do
  if tonumber(redis.call('HGET', key, 'count') or 0) > 0 then redis.call('HINCRBY', key, 'count', -1) end
end
if ARGV[1] == '1' then redis.call('HDEL', KEYS[1], 'doublings') end`;

/** What has to be undone is tried twice, also just after Redis was late. */
export function createSharedWindows({ client, run, insist, prefix }: RedisConnection) {
  client.defineCommand('attemptTake', { lua: TAKE });
  client.defineCommand('attemptGiveBack', { lua: GIVE_BACK });
  const commands = client as unknown as Record<
    'attemptTake' | 'attemptGiveBack',
    (numberOfKeys: number, ...args: (string | number)[]) => Promise<number>
  >;
  const namesOf = (keys: string[]) => keys.map((key) => `${prefix}failures:${key}`);
  return {
    take(counted: Counted[]) {
      const names = namesOf(counted.map(({ key }) => key));
      const limits = counted.flatMap(({ max, seconds }) => [max, seconds * 1000]);
      return run(() => commands.attemptTake(names.length, ...names, ...limits));
    },
    forget: (key: string) => insist(() => client.del(...namesOf([key]))),
    giveBack: (keys: string[], isForgiven: boolean) =>
      insist(() => commands.attemptGiveBack(keys.length, ...namesOf(keys), isForgiven ? 1 : 0)),
  };
}

/** The same in this process's memory. @param clock milliseconds, never going back */
export function createLocalWindows(clock: () => number) {
  const windows = new Map<string, { count: number; endsAt: number; doublings: number }>();
  const currentOf = ({ key, max, seconds }: Counted, now: number) => {
    const kept = windows.get(key);
    const last =
      kept === undefined || kept.endsAt + QUIET <= now ? { count: 0, endsAt: now, doublings: 0 } : kept;
    if (last.endsAt > now) return last;
    const doublings = last.count >= max ? Math.min(last.doublings + 1, MAX_DOUBLINGS) : last.doublings;
    return { count: 0, endsAt: now + seconds * 1000 * 2 ** doublings, doublings };
  };
  return {
    take(counted: Counted[]): number {
      const now = clock();
      const current = counted.map((entry) => ({ ...entry, window: currentOf(entry, now) }));
      const full = current.filter(({ window, max }) => window.count >= max);
      if (full.length > 0) return Math.max(...full.map(({ window }) => window.endsAt - now));
      for (const { key, window } of current) windows.set(key, { ...window, count: window.count + 1 });
      for (const oldest of windows.keys()) {
        if (windows.size <= MAX_KEYS) break;
        windows.delete(oldest);
      }
      return 0;
    },
    forget(key: string): void {
      windows.delete(key);
    },
    giveBack(keys: string[], isForgiven: boolean): void {
      for (const [i, key] of keys.entries()) {
        const window = windows.get(key);
        if (window === undefined) continue;
        if (window.count > 0) window.count -= 1;
        if (isForgiven && i === 0) window.doublings = 0;
      }
    },
  };
}
