import type { ClientRateLimitInfo } from 'express-rate-limit';
import { LRUCache } from 'lru-cache';
import type { RedisConnection } from '../redis/connect.ts';

/** Longest time that hits are collected before they are sent to Redis, in milliseconds. */
const SEND_AFTER = 25;
/** Share of the limit that a process may admit before it has reported these hits to Redis. */
const UNREPORTED_SHARE = 1 / 20;
/** From this share of the limit on, every hit is counted in Redis before it is admitted. */
const EXACT_FROM = 0.8;
/** Clients whose counts are cached; for others Redis is queried. */
const MAX_CLIENTS = 20_000;
/** Keys counted in one round trip. */
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

/** Hits that are reported to Redis in one round trip. */
interface Batch {
  readonly hits: Map<string, { all: number; unreported: number }>;
  /** Sends it; calling again does nothing. */
  readonly close: () => void;
  readonly counted: Promise<Map<string, Window>>;
  isUrgent: boolean;
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
  let open: Batch | undefined;

  const settle = (key: string, reported: number, hits: number, rest: number): Window => {
    const unreported = Math.max(0, (windows.get(key)?.unreported ?? 0) - reported);
    const window = { hits: hits + unreported, unreported, resetTime: new Date(Date.now() + rest) };
    windows.set(key, window);
    return window;
  };
  const send = async (hits: Batch['hits']): Promise<Map<string, Window>> => {
    const keys = [...hits.keys()].map((key) => prefix + key);
    const counts = [...hits.values()].map(({ all }) => all);
    const response = await redis
      .run(() => commands.countHits(keys.length, ...keys, seconds * 1000, ...counts))
      .catch((error: unknown) => {
        for (const key of hits.keys()) windows.delete(key);
        throw error;
      });
    const counted = [...hits].map(
      ([key, { unreported }], i) =>
        [key, settle(key, unreported, response[2 * i] ?? 0, response[2 * i + 1] ?? 0)] as const,
    );
    return new Map(counted);
  };
  const openBatch = (): Batch => {
    const hits: Batch['hits'] = new Map();
    let close = () => {};
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    const timer = setTimeout(close, SEND_AFTER).unref();
    const counted = closed.then(() => {
      clearTimeout(timer);
      open = undefined;
      return send(hits);
    });
    // Hits that were admitted ahead are lost if Redis fails.
    counted.catch(() => undefined);
    return { hits, close, counted, isUrgent: false };
  };
  const add = (key: string, unreported: 0 | 1) => {
    open ??= openBatch();
    const batch = open;
    const before = batch.hits.get(key) ?? { all: 0, unreported: 0 };
    batch.hits.set(key, { all: before.all + 1, unreported: before.unreported + unreported });
    if (batch.hits.size >= MAX_BATCH) batch.close();
    return { batch, place: before.all + 1 };
  };

  const countAhead = (key: string): ClientRateLimitInfo | undefined => {
    const window = windows.get(key);
    if (window === undefined || window.resetTime.getTime() <= Date.now() || !redis.isReady())
      return undefined;
    if (window.unreported >= Math.floor(max * UNREPORTED_SHARE) || window.hits >= max * EXACT_FROM)
      return undefined;
    window.unreported += 1;
    window.hits += 1;
    add(key, 1);
    return { totalHits: window.hits, resetTime: window.resetTime };
  };
  const countInRedis = async (key: string): Promise<ClientRateLimitInfo> => {
    const { batch, place } = add(key, 0);
    if (!batch.isUrgent) setImmediate(batch.close);
    batch.isUrgent = true;
    const window = (await batch.counted).get(key);
    const later = (batch.hits.get(key)?.all ?? place) - place;
    if (window === undefined) throw new Error('Redis did not count a hit');
    return { totalHits: Math.max(1, window.hits - later), resetTime: window.resetTime };
  };
  return {
    countAhead,
    increment: async (key) =>
      redis.isReady() ? countInRedis(key).catch(() => whileAway(key)) : whileAway(key),
  };
}
