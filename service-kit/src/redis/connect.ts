import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { sentinelOptions } from './redis-options.ts';

/** One process's connection to the shared Redis. Every key is made with `prefix`, so that tests do not meet. */
export interface RedisConnection {
  readonly client: Redis;
  readonly prefix: string;
  isReady(): boolean;
  /** Names the server's run: another one after each restart. @throws Error while Redis is away */
  runId(): Promise<string>;
  /**
   * Sends commands, or fails at once while Redis is away. One that timed out keeps the next second's commands from
   * waiting too, so that a paused Redis costs a request 150 ms once, not each time.
   * @throws Error to be caught by every caller: whatever needs Redis has a way without it
   */
  run<T>(commands: (client: Redis) => Promise<T>): Promise<T>;
  /** Writes: a replica, or a server without memory, still responds to a ping. @throws Error while it cannot be used */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** How long a command may take before the caller goes on without Redis, in milliseconds. */
const COMMAND_TIMEOUT = 150;
/** How long commands are not even tried after one that timed out, in milliseconds. */
const REST_AFTER_TIMEOUT = 1000;
/** Seconds that the key of a check is kept. */
const CHECK_KEPT = 60;

interface ConnectOptions {
  prefix?: string;
  /** Milliseconds. */
  commandTimeout?: number;
}

/**
 * A connection that never makes a request wait: commands fail at once while Redis is away, and the
 * connection is retried without end, at most 1 s apart.
 */
export function connectRedis(
  url: string,
  logger: Logger,
  { prefix = 'shop:', commandTimeout = COMMAND_TIMEOUT }: ConnectOptions = {},
): RedisConnection {
  const options = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    commandTimeout,
    connectTimeout: 1000,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: true,
    // These carry the questions of many requests already, and are sent at the end of a turn: no need to wait for the next.
    autoPipeliningIgnoredCommands: ['cacheFind', 'countHits'],
    retryStrategy: (attempt: number) => Math.min(attempt * 50, 1000),
  };
  const sentinels = sentinelOptions(url);
  const client = sentinels === undefined ? new Redis(url, options) : new Redis({ ...options, ...sentinels });
  // Each limit and cache listens for `ready`: more than Node's warning of a leak expects.
  client.setMaxListeners(100);
  let runId: Promise<string> | undefined;
  let lastMessage: string | undefined;
  let restUntil = 0;
  const isReady = () => client.status === 'ready' && Date.now() >= restUntil;
  client.on('error', (error: Error) => {
    if (error.message !== lastMessage) logger.warn({ reason: error.message }, 'redis is away');
    lastMessage = error.message;
  });
  client.on('close', () => {
    runId = undefined;
  });
  client.on('ready', () => {
    runId = undefined;
    lastMessage = undefined;
    logger.info('redis is ready');
  });
  const run: RedisConnection['run'] = async (commands) => {
    if (!isReady()) throw new Error('redis is away');
    try {
      return await commands(client);
    } catch (error) {
      if (error instanceof Error && error.message === 'Command timed out')
        restUntil = Date.now() + REST_AFTER_TIMEOUT;
      throw error;
    }
  };
  return {
    client,
    prefix,
    isReady,
    run,
    runId() {
      runId ??= askRunId(client).catch((error: unknown) => {
        runId = undefined;
        throw error;
      });
      return runId;
    },
    async check() {
      await run((commands) => commands.set(`${prefix}ready`, '1', 'EX', CHECK_KEPT));
    },
    async close() {
      client.disconnect();
    },
  };
}

async function askRunId(client: Redis): Promise<string> {
  const id = /^run_id:(\w+)/m.exec(await client.info('server'))?.[1];
  if (id === undefined) throw new Error('redis does not report its run_id');
  return id;
}
