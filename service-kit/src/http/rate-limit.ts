import { createHash } from 'node:crypto';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import {
  type AugmentedRequest,
  ipKeyGenerator,
  MemoryStore,
  type Options,
  rateLimit,
  type Store,
} from 'express-rate-limit';
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
  /** While Redis is away: `count` in this process's memory, or let everything `pass`. */
  withoutRedis: 'count' | 'pass';
  /** Counts signed-in callers by their address too: otherwise each new account would bring an allowance of its own. */
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
  const handlers = new Map<string, RequestHandler>();
  if (enabled) {
    for (const [name, limit] of Object.entries(limits)) {
      const store = redis === undefined ? new MemoryStore() : storeInRedis({ name, limit, redis, metrics });
      handlers.set(name, toHandler(name, limit, store));
    }
  }
  const known = new Set(Object.keys(limits));
  /** @throws Error for a name that the service did not configure: a mistake in a route declaration */
  return (name: string): RequestHandler | undefined => {
    if (!known.has(name)) throw new Error(`No limit is named ${name}`);
    return handlers.get(name);
  };
}

/** Clients whose policy header is kept ready. */
const MAX_POLICIES = 10_000;

function toHandler(
  name: string,
  { max, seconds, perAddress }: Limit,
  store: Store | SharedStore,
): RequestHandler {
  const keyOf = perAddress ? callerKey : clientKey;
  const identifier = `"${name.replaceAll('_', '-')}"`;
  const policies = new LRUCache<string, string>({
    max: MAX_POLICIES,
    memoMethod: (key) => `${identifier}; q=${max}; w=${seconds}; pk=:${partitionOf(key)}:`,
  });
  const limiter = rateLimit({
    windowMs: seconds * 1000,
    limit: max,
    standardHeaders: false,
    legacyHeaders: false,
    keyGenerator: keyOf,
    store,
    handler: (_request, _response, next) => next(new RateLimited()),
  });
  /** The draft-8 headers, as express-rate-limit writes them, which would hash the client's key for each. */
  const tell = (response: Response, key: string, hits: number, rest: number) => {
    response.setHeader('RateLimit', `${identifier}; r=${Math.max(0, max - hits)}; t=${rest}`);
    response.setHeader('RateLimit-Policy', policies.memo(key));
  };
  return (request: Request, response: Response, next: NextFunction) => {
    const key = keyOf(request, response);
    const passed = 'passUntold' in store ? store.passUntold(key) : undefined;
    if (passed !== undefined) {
      tell(response, key, passed.totalHits, secondsUntil(passed.resetTime));
      return next();
    }
    const goOn = (error?: unknown) => {
      const info = (request as AugmentedRequest)['rateLimit'];
      const rest = secondsUntil(info?.resetTime);
      if (info !== undefined) tell(response, key, info.used, rest);
      if (error instanceof RateLimited) response.setHeader('Retry-After', String(rest));
      next(error);
    };
    return limiter(request, response, goOn);
  };
}

function secondsUntil(time: Date | undefined): number {
  return time === undefined ? 0 : Math.max(0, Math.ceil((time.getTime() - Date.now()) / 1000));
}

/** Tells clients apart without naming them. */
function partitionOf(key: string): string {
  return Buffer.from(createHash('sha256').update(key).digest('hex').slice(0, 12)).toString('base64');
}

/** A signed-in user counts as one wherever he is; others by address. */
function clientKey(request: Request, response: Response): string {
  const { principal } = contextOf(response);
  return principal?.kind === 'user' ? `user:${principal.id}` : callerKey(request, response);
}

const callerKey = (_request: Request, response: Response) => addressKey({ ip: contextOf(response).address });

/** What a client's address is counted by: IPv6 by /64, which is what one household gets. */
export function addressKey({ ip = '' }: { ip?: string | undefined }): string {
  return `ip:${ipKeyGenerator(ip, 64)}`;
}

interface SharedStoreOptions {
  name: string;
  limit: Limit;
  redis: RedisConnection;
  metrics: Metrics;
}

/** Windows in Redis; while it is away, by the rule of the limit. */
function storeInRedis({ name, limit, redis, metrics }: SharedStoreOptions): SharedStore {
  const local = new MemoryStore();
  const shared = createSharedStore({
    ...limit,
    redis,
    prefix: `${redis.prefix}limit:${name}:`,
    whileAway(key) {
      metrics.degraded.inc({ feature: `limit_${name}` });
      if (limit.withoutRedis === 'count') return local.increment(key);
      return { totalHits: 1, resetTime: new Date(Date.now() + limit.seconds * 1000) };
    },
  });
  return { ...shared, init: (options: Options) => local.init(options) };
}
