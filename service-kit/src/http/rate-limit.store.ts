import type { ClientRateLimitInfo } from 'express-rate-limit';
import { LRUCache } from 'lru-cache';
import type { RedisConnection } from '../redis/connect.ts';
import { gathered } from '../redis/gathered.ts';

/** How long hits that were admitted ahead are collected before they are sent to Redis, in milliseconds. */
const SEND_AFTER = 25;
/** Share of the limit that a process may admit before it has reported these hits to Redis. */
const UNREPORTED_SHARE = 1 / 20;
/** From this share of the limit on, every hit is counted in Redis before it is admitted. */
const EXACT_FROM = 0.8;
/** Clients whose counts are cached; for others Redis is queried. */
const MAX_CLIENTS = 20_000;
/** Hits counted in one round trip before they are admitted. */
const MAX_BATCH = 500;

/** KEYS: counters. ARGV: window in milliseconds, then the hits to add to each. Returns for each its count and time left. */
const COUNT = `
local counts = {}
for i, key in ipairs(KEYS) do
  local rest = redis.call('PTTL', key)
  local hits = tonumber(ARGV[i + 1])
  if rest <= 0 then
    redis.call('SET', key, hits, 'PX', ARGV[1])
    rest = tonumber(ARGV[1])
  else
    hits = redis.call('INCRBY', key, hits)
  end
  counts[2 * i - 1] = hits
  counts[2 * i] = rest
end
return counts`;

interface SharedStoreOptions {
  /** Requests in a window. */
  max: number;
  seconds: number;
  redis: RedisConnection;
  /** Prefix of the keys. */
  prefix: string;
  /** Counts a hit while Redis is unavailable. */
  whileAway: (key: string) => Promise<ClientRateLimitInfo> | ClientRateLimitInfo;
}

export interface SharedStore {
  increment(key: string): Promise<ClientRateLimitInfo>;
  /** Counts a hit of a client that is far from the limit, without waiting for Redis; undefined if `increment` has to. */
  countAhead(key: string): ClientRateLimitInfo | undefined;
}

/** The cached state of a client's window. */
interface Window {
  /** Including those not yet reported to Redis. */
  hits: number;
  /** Hits not yet reported to Redis. */
  unreported: number;
  resetTime: Date;
}

/** Hits of one client that are reported to Redis. */
interface Report {
  key: string;
  hits: number;
  /** Of them, those that were admitted before. */
  ahead: number;
}

interface Commands {
  countHits(...args: (string | number)[]): Promise<number[]>;
}

/**
 * Windows that all processes share through Redis. Hits of many clients are reported in one round trip. A client that is far
 * from the limit does not wait for it: its hits are admitted first and reported afterwards. So each process may admit a
 * twentieth of a limit before it learns the counts of the others; for limits below 20 it admits nothing ahead.
 */
export function createSharedStore({
  max,
  seconds,
  redis,
  prefix,
  whileAway,
}: SharedStoreOptions): SharedStore {
  redis.client.defineCommand('countHits', { lua: COUNT });
  const commands = redis.client as unknown as Commands;
  const windows = new LRUCache<string, Window>({ max: MAX_CLIENTS });
  /** Hits that were admitted ahead and not sent yet, by client. */
  let unsent = new Map<string, number>();

  const settle = ({ key, ahead }: Report, hits: number, rest: number): Window => {
    const unreported = Math.max(0, (windows.get(key)?.unreported ?? 0) - ahead);
    const window = { hits: hits + unreported, unreported, resetTime: new Date(Date.now() + rest) };
    windows.set(key, window);
    return window;
  };
  const send = async (reports: Report[]): Promise<Window[]> => {
    const keys = reports.map(({ key }) => prefix + key);
    const hits = reports.map((report) => report.hits);
    const response = await redis
      .run(() => commands.countHits(keys.length, ...keys, seconds * 1000, ...hits))
      .catch((error: unknown) => {
        for (const { key } of reports) windows.delete(key);
        throw error;
      });
    return reports.map((report, i) => settle(report, response[2 * i] ?? 0, response[2 * i + 1] ?? 0));
  };
  const sendAhead = () => {
    const reports = [...unsent].map(([key, hits]) => ({ key, hits, ahead: hits }));
    unsent = new Map();
    // They are lost if Redis fails.
    send(reports).catch(() => undefined);
  };
  const countInRedis = gathered(MAX_BATCH, (keys: string[]) =>
    send(keys.map((key) => ({ key, hits: 1, ahead: 0 }))),
  );

  return {
    countAhead(key) {
      const window = windows.get(key);
      if (window === undefined || window.resetTime.getTime() <= Date.now() || !redis.isReady())
        return undefined;
      if (window.unreported >= Math.floor(max * UNREPORTED_SHARE) || window.hits >= max * EXACT_FROM)
        return undefined;
      window.unreported += 1;
      window.hits += 1;
      if (unsent.size === 0) setTimeout(sendAhead, SEND_AFTER).unref();
      unsent.set(key, (unsent.get(key) ?? 0) + 1);
      return { totalHits: window.hits, resetTime: window.resetTime };
    },
    async increment(key) {
      if (!redis.isReady()) return whileAway(key);
      try {
        const { hits, resetTime } = await countInRedis(key);
        return { totalHits: hits, resetTime };
      } catch {
        return whileAway(key);
      }
    },
  };
}
