import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import type { Logger } from 'pino';
import { expressClasses } from '../http/express-classes.ts';
import { inSlices } from '../http/in-slices.ts';
import { inTurn } from '../http/in-turn.ts';
import { endRequestOf } from '../http/request-scope.ts';
import { refuseUnparsed } from '../http/unparsed-request.ts';
import { createLogger, flushLog } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';

interface ServerConfig {
  PORT: number;
  /** Undefined: all addresses, IPv6 and IPv4, or IPv4 where there is no other. */
  HOST?: string | undefined;
  LOG_LEVEL: string;
  DRAIN_TIMEOUT: number;
  CORS_ORIGINS?: string;
}

export interface Runtime<Config> {
  config: Config;
  logger: Logger;
  metrics: Metrics;
  /** True from the moment a stop was asked for: readiness answers 503 then. */
  isStopping: () => boolean;
}

export interface Started {
  app: Express;
  /** Closes workers, database and Redis, in this order; called when no request runs any more. */
  close: () => Promise<void>;
}

export interface ServerOptions<Config extends ServerConfig> {
  service: string;
  loadConfig: () => Config;
  start: (runtime: Runtime<Config>) => Promise<Started>;
}

export interface RunningServer {
  port: number;
  logger: Logger;
  /**
   * Stops in order: readiness 503, no new connections, running requests to their end, workers, database, Redis.
   * Called again, it waits for the stop that is under way.
   */
  stop: (reason: string) => Promise<void>;
}

/**
 * How long a slow client may take for its headers and for its whole request, in milliseconds. The second is for uploads:
 * JSON bodies have a shorter limit where they are read, streams one for their progress.
 */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 3_600_000;
/** How often these limits are looked after; Node's own 30 s would double them. */
const TIMEOUT_CHECK = 2000;
/** How often a stop closes the connections whose last request has ended, in milliseconds. */
const IDLE_SWEEP = 50;
/** How long workers, database and Redis get to close, in milliseconds. */
const CLOSE_TIMEOUT = 5000;
/** Longer than proxies keep an idle connection, so that they never send on one that is being closed. */
const KEEP_ALIVE_TIMEOUT = 75_000;

/** Starts a service's HTTP server. @throws ConfigError, or what `start` throws when a part is not available */
export async function startServer<Config extends ServerConfig>(
  options: ServerOptions<Config>,
): Promise<RunningServer> {
  const config = options.loadConfig();
  const logger = createLogger(options.service, config.LOG_LEVEL);
  let stopping = false;
  const metrics = createMetrics(options.service);
  const { app, close } = await options.start({ config, logger, metrics, isStopping: () => stopping });
  const server = createServer(
    {
      ...expressClasses(app),
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: TIMEOUT_CHECK,
      requireHostHeader: false,
    },
    inTurn(inSlices(app)),
  );
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT;
  refuseUnparsed(server, logger, config.CORS_ORIGINS);
  const port = await listen(server, config).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  logger.info(
    { port, address: `http://localhost:${port}`, docs: `http://localhost:${port}/docs` },
    'listening',
  );
  const stopInOrder = async (reason: string) => {
    stopping = true;
    logger.info({ reason }, 'stopping');
    try {
      await drain(server, config.DRAIN_TIMEOUT);
      await withinLimit(close());
      logger.info('stopped');
    } finally {
      await flushLog(logger);
    }
  };
  let stopped: Promise<void> | undefined;
  return {
    port,
    logger,
    stop(reason) {
      stopped ??= stopInOrder(reason);
      return stopped;
    },
  };
}

function listen(server: Server, { PORT, HOST }: ServerConfig): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: PORT, host: HOST }, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Lets running requests finish; connections that are still open after the time limit are cut. */
async function drain(server: Server, limit: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), limit);
  // A client that keeps its connection would keep the process: Node closes only those that are idle right now.
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(timer);
  clearInterval(sweep);
}

/** A database that is gone or paused must not hold a stop. */
async function withinLimit(closing: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = new Error(`connections were not closed within ${CLOSE_TIMEOUT} ms`);
    timer = setTimeout(reject, CLOSE_TIMEOUT, error);
  });
  await Promise.race([closing, late]).finally(() => clearTimeout(timer));
}

/**
 * Runs a service until SIGTERM or SIGINT; exit 0 after an orderly stop, 1 when it cannot start or a stop fails. A stray
 * error ends the request that it belongs to; one that belongs to none leaves a process that nobody knows the state of:
 * it stops in order and exits with 1, and whoever runs it starts the next.
 */
export async function runServer<Config extends ServerConfig>(options: ServerOptions<Config>): Promise<void> {
  const starting = startServer(options);
  // From the first moment on: a stop that is asked for during the start follows it. Both signals may come, and come
  // twice (a terminal's and npm's): the stop under way goes on.
  const stop = (reason: string) => {
    starting
      .then((running) => running.stop(reason))
      .then(
        () => process.exit(0),
        (error: unknown) => fail(options.service, error),
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Of a process that was started with a channel to its parent only: the parent was killed and cannot stop it any more.
  process.on('disconnect', () => stop('the parent ended'));
  // Rejected promises that nobody handles come here too.
  process.on('uncaughtException', (error) => {
    if (endRequestOf(error)) return;
    starting
      .then((running) => {
        running.logger.fatal({ err: error }, 'stray error');
        return running.stop('stray error');
      })
      .then(
        () => process.exit(1),
        (reason: unknown) => fail(options.service, reason),
      );
  });
  await starting.catch((error: unknown) => fail(options.service, error));
}

/** Tells on stderr what keeps the process from running, one clear line per reason, and ends it with 1. */
export function fail(service: string, error: unknown): never {
  const { message = String(error), code } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  // An address that refuses on IPv4 and IPv6 alike is an error without a text.
  const lines = (message || code || 'stopped by an error without a text').trim().split('\n');
  for (const line of lines) console.error(`${service}: ${line}`);
  process.exit(1);
}
