import type { Request, RequestHandler, Response } from 'express';
import {
  type ClientRateLimitInfo,
  ipKeyGenerator,
  MemoryStore,
  type Options,
  rateLimit,
  type Store,
} from 'express-rate-limit';
import { type RedisReply, RedisStore } from 'rate-limit-redis';
import { RateLimited } from '../errors/http-errors.ts';
import type { RedisConnection } from '../redis/connect.ts';
import type { Metrics } from '../runtime/metrics.ts';
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
      const store =
        redis === undefined ? new MemoryStore() : createSharedStore({ name, limit, redis, metrics });
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

function toHandler(name: string, { max, seconds, perAddress }: Limit, store: Store): RequestHandler {
  return rateLimit({
    windowMs: seconds * 1000,
    limit: max,
    identifier: name.replaceAll('_', '-'),
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: perAddress ? addressKey : clientKey,
    store,
    handler: (_request, _response, next) => next(new RateLimited()),
  });
}

/** A signed-in user counts as one wherever he is; others by address. */
function clientKey(request: Request, response: Response): string {
  const { principal } = contextOf(response);
  return principal?.kind === 'user' ? `user:${principal.id}` : addressKey(request);
}

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
function createSharedStore({ name, limit, redis, metrics }: SharedStoreOptions): Store {
  const shared = new RedisStore({
    prefix: `${redis.prefix}limit:${name}:`,
    sendCommand: (command: string, ...args: string[]) =>
      redis.run((client) => client.call(command, ...args)) as Promise<RedisReply>,
  });
  const local = new MemoryStore();
  const whileAway = (key: string): Promise<ClientRateLimitInfo> | ClientRateLimitInfo => {
    metrics.degraded.inc({ feature: `limit_${name}` });
    if (limit.withoutRedis === 'count') return local.increment(key);
    return { totalHits: 1, resetTime: new Date(Date.now() + limit.seconds * 1000) };
  };
  let loadScripts = async () => {};
  return {
    localKeys: false,
    init(options: Options) {
      local.init(options);
      loadScripts = () => shared.init(options).catch(() => undefined);
      // The store loads its scripts once and a restarted Redis has forgotten them: without this, limits stay off for good.
      redis.client.on('ready', loadScripts);
      void loadScripts();
    },
    increment: (key) =>
      shared.increment(key).catch(async () => {
        if (redis.isReady()) await loadScripts();
        return whileAway(key);
      }),
    decrement: (key) => shared.decrement(key),
    resetKey: (key) => shared.resetKey(key),
  };
}
