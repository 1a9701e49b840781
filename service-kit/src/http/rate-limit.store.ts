import type { ClientRateLimitInfo, Store } from 'express-rate-limit';
import { LRUCache } from 'lru-cache';
import type { RedisConnection } from '../redis/connect.ts';

/** How long hits may wait before Redis is told of them, in milliseconds. */
const SETTLE_AFTER = 25;
/** What a process may let pass on its own account before Redis has been told, as a share of the limit. */
const UNTOLD_SHARE = 1 / 20;
/** From this share of the limit on every hit is counted in Redis before it passes. */
const EXACT_FROM = 0.8;
/** Clients whose counts are remembered; others are asked for in Redis. */
const MAX_CLIENTS = 20_000;
/** Keys counted in one round trip. */
const MAX_BATCH = 500;

/** KEYS: counters. ARGV: window in milliseconds, then what to add to each. Returns count and rest of the window of each. */
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
  /** What the keys begin with. */
  prefix: string;
  /** What counts a hit while Redis is away. */
  whileAway: (key: string) => Promise<ClientRateLimitInfo> | ClientRateLimitInfo;
}

export interface SharedStore extends Store {
  /** Counts a hit of a client who is far from his limit; undefined when it has to be counted by `increment`. */
  passUntold(key: string): ClientRateLimitInfo | undefined;
}

/** What is known of a client's window. */
interface Window {
  /** With those that Redis has still to be told of. */
  hits: number;
  /** How many these are. */
  untold: number;
  resetTime: Date;
}

/** Hits that Redis is told of in one round trip. */
interface Batch {
  readonly hits: Map<string, { all: number; untold: number }>;
  /** Sends it; calling again does nothing. */
  readonly close: () => void;
  readonly counted: Promise<Map<string, Window>>;
  isUrgent: boolean;
}

interface Commands {
  countHits(...args: (string | number)[]): Promise<number[]>;
}

/**
 * Windows that all processes share through Redis. Many clients' hits are told in one round trip, and whoever is far from
 * his limit does not wait for it: he passes, and Redis is told a moment later. So each process may let pass a
 * twentieth of a limit before it learns what the others counted, and for limits under 20 nothing.
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

  const settle = (key: string, told: number, hits: number, rest: number): Window => {
    const untold = Math.max(0, (windows.get(key)?.untold ?? 0) - told);
    const window = { hits: hits + untold, untold, resetTime: new Date(Date.now() + rest) };
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
      ([key, { untold }], i) =>
        [key, settle(key, untold, response[2 * i] ?? 0, response[2 * i + 1] ?? 0)] as const,
    );
    return new Map(counted);
  };
  const openBatch = (): Batch => {
    const hits: Batch['hits'] = new Map();
    let close = () => {};
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    const timer = setTimeout(close, SETTLE_AFTER).unref();
    const counted = closed.then(() => {
      clearTimeout(timer);
      open = undefined;
      return send(hits);
    });
    // Whoever did not wait has passed: what Redis was not told of is lost with its outage.
    counted.catch(() => undefined);
    return { hits, close, counted, isUrgent: false };
  };
  const add = (key: string, untold: 0 | 1) => {
    open ??= openBatch();
    const batch = open;
    const before = batch.hits.get(key) ?? { all: 0, untold: 0 };
    batch.hits.set(key, { all: before.all + 1, untold: before.untold + untold });
    if (batch.hits.size >= MAX_BATCH) batch.close();
    return { batch, place: before.all + 1 };
  };

  const passUntold = (key: string): ClientRateLimitInfo | undefined => {
    const window = windows.get(key);
    if (window === undefined || window.resetTime.getTime() <= Date.now() || !redis.isReady())
      return undefined;
    if (window.untold >= Math.floor(max * UNTOLD_SHARE) || window.hits >= max * EXACT_FROM) return undefined;
    window.untold += 1;
    window.hits += 1;
    add(key, 1);
    return { totalHits: window.hits, resetTime: window.resetTime };
  };
  const passTold = async (key: string): Promise<ClientRateLimitInfo> => {
    const { batch, place } = add(key, 0);
    if (!batch.isUrgent) setImmediate(batch.close);
    batch.isUrgent = true;
    const window = (await batch.counted).get(key);
    const later = (batch.hits.get(key)?.all ?? place) - place;
    if (window === undefined) throw new Error('Redis did not count a hit');
    return { totalHits: Math.max(1, window.hits - later), resetTime: window.resetTime };
  };
  return {
    localKeys: false,
    passUntold,
    increment: async (key) => (redis.isReady() ? passTold(key).catch(() => whileAway(key)) : whileAway(key)),
    decrement: (key) => redis.run(async (client) => void (await client.decr(prefix + key))),
    resetKey: (key) => redis.run(async (client) => void (await client.del(prefix + key))),
  };
}
