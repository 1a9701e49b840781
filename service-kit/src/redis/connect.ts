import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { sentinelOptions } from './redis-options.ts';

/** One process's connection to the shared Redis. Every key begins with `prefix`, so that tests do not share keys. */
export interface RedisConnection {
  readonly client: Redis;
  readonly prefix: string;
  isReady(): boolean;
  /** Identifies the server's run: it changes with each restart. @throws Error while Redis is unavailable */
  runId(): Promise<string>;
  /**
   * Sends commands, or fails at once while Redis is unavailable. After a timeout, commands fail at once until Redis responds, but
   * for a second at most, so that a paused Redis costs a request 150 ms once, not each time. A response that has arrived
   * and that this process has not read yet is in time.
   * @throws Error to be caught by every caller: everything that uses Redis works without it
   */
  run<T>(commands: (client: Redis) => Promise<T>): Promise<T>;
  /** Writes: a replica, or a server without memory, still responds to a ping. @throws Error while it cannot be used */
  check(): Promise<void>;
  /** The same, with a second attempt at once if the first one fails, unless `hasFailedTwice`. */
  insist<T>(commands: (client: Redis) => Promise<T>): Promise<T>;
  /** Whether both attempts of `insist` have failed, and no command has succeeded since. */
  hasFailedTwice(): boolean;
  close(): Promise<void>;
}

/** How long a command may take before the caller goes on without Redis, in milliseconds. */
const COMMAND_TIMEOUT = 150;
/** How long commands are not tried after a timeout, in milliseconds. */
const REST_AFTER_TIMEOUT = 1000;
/** Seconds that the key of a check is kept. */
const CHECK_KEPT = 60;

interface ConnectOptions {
  prefix?: string;
  /** Milliseconds. */
  commandTimeout?: number;
}

/**
 * A connection that never makes a request wait: commands fail at once while Redis is unavailable, and the
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
    // Longer than `run` waits: a late response shows that Redis is there. Without it, a lost command would never settle.
    commandTimeout: commandTimeout + REST_AFTER_TIMEOUT,
    connectTimeout: 1000,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt: number) => Math.min(attempt * 50, 1000),
  };
  const sentinels = sentinelOptions(url);
  const client = sentinels === undefined ? new Redis(url, options) : new Redis({ ...options, ...sentinels });
  let runId: Promise<string> | undefined;
  let lastMessage: string | undefined;
  let restUntil = 0;
  let failedTwice = false;
  const isReady = () => client.status === 'ready' && performance.now() >= restUntil;
  client.on('error', (error: Error) => {
    if (error.message !== lastMessage) logger.warn({ reason: error.message }, 'redis is unavailable');
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
  let closed = false;
  // ioredis ends for good if a Sentinel reports a failover while another attempt asks for the address.
  if (sentinels !== undefined)
    client.on('end', () => {
      if (!closed) client.connect().catch(() => undefined);
    });
  const attempt = async <T>(commands: (client: Redis) => Promise<T>): Promise<T> => {
    const sent = commands(client);
    const endRest = () => {
      restUntil = 0;
    };
    sent.then(endRest, () => undefined);
    try {
      const result = await inTime(sent, commandTimeout);
      failedTwice = false;
      return result;
    } catch (error) {
      if (error instanceof TimedOut) restUntil = performance.now() + REST_AFTER_TIMEOUT;
      throw error;
    }
  };
  const run = async <T>(commands: (client: Redis) => Promise<T>): Promise<T> => {
    if (!isReady()) throw new Error('redis is unavailable');
    return attempt(commands);
  };
  return {
    client,
    prefix,
    isReady,
    run,
    hasFailedTwice: () => failedTwice,
    async insist(commands) {
      if (failedTwice) return run(commands);
      try {
        return await attempt(commands);
      } catch {
        return await attempt(commands).catch((error: unknown) => {
          failedTwice = true;
          throw error;
        });
      }
    },
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
      closed = true;
      client.disconnect();
    },
  };
}

class TimedOut extends Error {}

/** A late event loop ends the time limit before it reads what has arrived meanwhile, so one turn more is granted. */
function inTime<T>(result: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(new TimedOut('redis is late'))), milliseconds);
    result.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

async function askRunId(client: Redis): Promise<string> {
  const id = /^run_id:(\w+)/m.exec(await client.info('server'))?.[1];
  if (id === undefined) throw new Error('redis does not report its run_id');
  return id;
}
