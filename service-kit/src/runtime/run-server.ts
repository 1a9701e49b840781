import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Express } from 'express';
import type { Logger } from 'pino';
import { endRequestOf } from '../deadline/deadline.ts';
import { expressClasses } from '../http/express-classes.ts';
import { inSlices } from '../http/in-slices.ts';
import { inTurn } from '../http/in-turn.ts';
import { refuseUnparsed } from '../http/unparsed-request.ts';
import type { Tracer } from '../tracing/span.ts';
import type { CommonConfig } from './config.ts';
import { createLogger, flushLog } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';

type ServerConfig = Partial<CommonConfig> & { PORT: number; LOG_LEVEL: string; DRAIN_TIMEOUT: number };

export interface Runtime<Config> {
  config: Config;
  logger: Logger;
  metrics: Metrics;
  /** If missing, nothing is traced. */
  tracer?: Tracer | undefined;
  /** True from the moment a stop is requested; readiness is 503 then. */
  isStopping: () => boolean;
}

export interface Started {
  app: Express;
  /** Closes workers, database and Redis, in this order; called when no request is running. */
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
   * Stops in order: readiness 503, no new connections, finish running requests, close workers, database, Redis.
   * A second call waits for the stop in progress.
   */
  stop: (reason: string) => Promise<void>;
}

/**
 * How long a slow client may take for its headers and for its whole request, in milliseconds. The second limit is for
 * uploads: JSON bodies have a shorter one where they are read, and streams one for their progress.
 */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 3_600_000;
/** How often these limits are checked; Node's default of 30 s would double them. */
const TIMEOUT_CHECK = 2000;
/** How often a stop closes idle connections, in milliseconds. */
const IDLE_SWEEP = 50;
/** How long workers, database and Redis get to close, in milliseconds. */
const CLOSE_TIMEOUT = 5000;
/** Longer than proxies keep an idle connection, so that they never send on one that is closing. */
const KEEP_ALIVE_TIMEOUT = 75_000;

/** Starts a service's HTTP server. @throws ConfigError, or the error of `start` if a part is not available */
export async function startServer<Config extends ServerConfig>(
  options: ServerOptions<Config>,
): Promise<RunningServer> {
  const config = options.loadConfig();
  const logger = createLogger(options.service, config.LOG_LEVEL);
  let stopping = false;
  const metrics = createMetrics(options.service, config);
  const tracer = await openTracer(options.service, config, logger);
  const { app, close } = await options
    .start({ config, logger, metrics, tracer, isStopping: () => stopping })
    .catch(async (error: unknown) => {
      await flushLog(logger);
      throw error;
    });
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
      if (config.DRAIN_DELAY) await sleep(config.DRAIN_DELAY);
      await drain(server, config.DRAIN_TIMEOUT);
      await withinLimit(close());
      await tracer?.close();
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

/** Loads what traces need only where they are wanted. */
async function openTracer(
  service: string,
  config: ServerConfig,
  logger: Logger,
): Promise<Tracer | undefined> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers = '' } = config;
  if (endpoint === undefined) return undefined;
  const tracing = await import('../tracing/otlp-tracer.ts');
  const ratio = config.OTEL_TRACES_SAMPLER_ARG ?? 1;
  return tracing.openTracer({ service, version: config.BUILD_VERSION, endpoint, headers, ratio, logger });
}

function listen(server: Server, { PORT, HOST }: ServerConfig): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: PORT, host: HOST }, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Lets running requests finish; closes connections that are still open after the time limit. */
async function drain(server: Server, limit: number): Promise<void> {
  const timer = setTimeout(() => server.closeAllConnections(), limit);
  // A client that keeps its connection alive would keep the process alive: Node closes only connections that are idle now.
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP);
  await new Promise((resolve) => server.close(resolve));
  clearTimeout(timer);
  clearInterval(sweep);
}

/** A database that is gone or paused must not delay a stop. */
async function withinLimit(closing: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = new Error(`connections were not closed within ${CLOSE_TIMEOUT} ms`);
    timer = setTimeout(reject, CLOSE_TIMEOUT, error);
  });
  await Promise.race([closing, late]).finally(() => clearTimeout(timer));
}

/**
 * Runs a service until SIGTERM or SIGINT; exit 0 after an orderly stop, 1 if it cannot start or a stop fails. An unhandled
 * error ends the request that it belongs to. One that belongs to no request leaves the process in an unknown state: it
 * stops in order and exits with 1, so that its supervisor starts a new one.
 */
export async function runServer<Config extends ServerConfig>(options: ServerOptions<Config>): Promise<void> {
  const starting = startServer(options);
  // Registered first, so that a stop requested during the start follows it. Both signals may arrive, and twice (from the
  // terminal and from npm); the stop in progress continues.
  const stop = (reason: string, exitCode = 0, unhandled?: Error) => {
    starting
      .then((running) => {
        if (unhandled !== undefined) running.logger.fatal({ err: unhandled }, 'unhandled error');
        return running.stop(reason);
      })
      .then(
        () => process.exit(exitCode),
        (error: unknown) => fail(options.service, error),
      );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  // Only for a process started with a channel to its parent: the parent was killed and can no longer stop it.
  process.on('disconnect', () => stop('the parent ended'));
  // Unhandled rejections arrive here too.
  process.on('uncaughtException', (error) => {
    if (!endRequestOf(error)) stop('unhandled error', 1, error);
  });
  await starting.catch((error: unknown) => fail(options.service, error));
}

/** Prints on stderr why the process cannot run, one line per reason, and exits with 1. */
export function fail(service: string, error: unknown): never {
  const { message = String(error), code } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  // A connection refused on both IPv4 and IPv6 is an error without a message.
  const lines = (message || code || 'stopped by an error without a text').trim().split('\n');
  for (const line of lines) console.error(`${service}: ${line}`);
  process.exit(1);
}
