import { createHash } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import { type ClientRateLimitInfo, ipKeyGenerator, MemoryStore, type Options } from 'express-rate-limit';
import { LRUCache } from 'lru-cache';
import { RateLimited } from '../errors/http-errors.ts';
import type { RedisConnection } from '../redis/connect.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { createSharedStore, type SharedStore } from './rate-limit.store.ts';
import { contextOf } from './request-context.ts';

/** One named limit of a service. */
export interface Limit {
  /** Requests that one client may make in a window. */
  max: number;
  /** Length of the window in seconds. */
  seconds: number;
  /** While Redis is unavailable: `count` in this process's memory, or let everything `pass`. */
  withoutRedis: 'count' | 'pass';
  /** Counts signed-in callers by their address too; otherwise each new account would add an allowance. */
  perAddress?: true;
}

export type Limits = Record<string, Limit>;

interface RateLimitsOptions {
  limits: Limits;
  enabled: boolean;
  redis: RedisConnection | undefined;
  metrics: Metrics;
}

/** One middleware for each named limit; all share the windows of the deployment through Redis. */
export function createRateLimits({ limits, enabled, redis, metrics }: RateLimitsOptions) {
  const handlerOf = (name: string, limit: Limit) => {
    const store = redis === undefined ? memoryStore(limit) : storeInRedis(name, limit, redis, metrics);
    return toHandler(name, limit, store, metrics);
  };
  const handlers = new Map(
    Object.entries(limits).map(([name, limit]) => [name, enabled ? handlerOf(name, limit) : undefined]),
  );
  /** @throws Error for a name that the service did not configure: a mistake in a route declaration */
  return (name: string): RequestHandler | undefined => {
    if (!handlers.has(name)) throw new Error(`No limit is named ${name}`);
    return handlers.get(name);
  };
}

/** Clients whose policy header is cached. */
const MAX_POLICIES = 10_000;

function toHandler(
  name: string,
  { max, seconds, perAddress }: Limit,
  store: MemoryStore | SharedStore,
  metrics: Metrics,
): RequestHandler {
  // From the start, so that the first rejection counts as an increase.
  metrics.rejections.inc({ limit: name }, 0);
  const keyOf = perAddress ? callerKey : clientKey;
  const identifier = `"${name.replaceAll('_', '-')}"`;
  const policies = new LRUCache<string, string>({
    max: MAX_POLICIES,
    memoMethod: (key) => `${identifier}; q=${max}; w=${seconds}; pk=:${partitionOf(key)}:`,
  });
  /** The headers of draft 8. */
  const setHeaders = (response: Response, key: string, hits: number, rest: number) => {
    response.setHeader('RateLimit', `${identifier}; r=${Math.max(0, max - hits)}; t=${rest}`);
    response.setHeader('RateLimit-Policy', policies.memo(key));
  };
  return (_request, response, next) => {
    const key = keyOf(response);
    const admit = ({ totalHits, resetTime }: ClientRateLimitInfo) => {
      const rest = secondsUntil(resetTime);
      setHeaders(response, key, totalHits, rest);
      if (totalHits <= max) return next();
      metrics.rejections.inc({ limit: name });
      response.setHeader('Retry-After', String(rest));
      throw new RateLimited();
    };
    const admitted = 'countAhead' in store ? store.countAhead(key) : undefined;
    return admitted === undefined ? store.increment(key).then(admit) : admit(admitted);
  };
}

function secondsUntil(time: Date | undefined): number {
  return time === undefined ? 0 : Math.max(0, Math.ceil((time.getTime() - Date.now()) / 1000));
}

/** Distinguishes clients without identifying them. */
function partitionOf(key: string): string {
  return Buffer.from(createHash('sha256').update(key).digest('hex').slice(0, 12)).toString('base64');
}

/** Signed-in users are counted by id, wherever they are; others by address. */
function clientKey(response: Response): string {
  const { principal } = contextOf(response);
  return principal?.kind === 'user' ? `user:${principal.id}` : callerKey(response);
}

const callerKey = (response: Response) => addressKey(contextOf(response).address);

/** The key of an address: IPv6 is counted by /64, the usual assignment to one household. */
export const addressKey = (address: string): string => `ip:${ipKeyGenerator(address, 64)}`;

function memoryStore({ seconds }: Limit): MemoryStore {
  const store = new MemoryStore();
  store.init({ windowMs: seconds * 1000 } as Options);
  return store;
}

/** Windows in Redis; while it is unavailable, `withoutRedis` of the limit applies. */
function storeInRedis(name: string, limit: Limit, redis: RedisConnection, metrics: Metrics): SharedStore {
  const local = memoryStore(limit);
  return createSharedStore({
    ...limit,
    redis,
    prefix: `${redis.prefix}limit:${name}:`,
    whileAway(key) {
      metrics.degraded.inc({ feature: `limit_${name}` });
      if (limit.withoutRedis === 'count') return local.increment(key);
      return { totalHits: 1, resetTime: new Date(Date.now() + limit.seconds * 1000) };
    },
  });
}
