import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { explain, Interrupted } from '../failure.js';
import { ensureDatabases } from '../postgres/databases.js';
import { launchPostgres, startEmbeddedPostgres, stopPostgres } from '../postgres/server.js';
import { stop } from '../processes.js';
import { findRedisServer, launchRedis, startRedis, stopRedis } from '../redis-server.js';
import { loadSecrets } from '../secrets.js';
import { DATA, POSTGRES_DATA, SERVICES } from '../shop.js';
import { say, step, warn } from '../terminal.js';
import { printBanner } from './banner.js';
import { localUrl, serviceEnvironment } from './environment.js';
import { createKeeper } from './keep-running.js';
import { writeRun } from './run-file.js';
import { launchService, migrate, untilReady } from './service.js';

// Enough for three pools, the job runners and a psql.
const POSTGRES_SETTINGS = ['max_connections=200', 'log_checkpoints=off'];
// Longer than a service gives its last requests.
const STOP_TIMEOUT_MS = 20_000;
const WITHOUT_REDIS = 'Without Redis, caches and rate limits are kept inside each service and end with it.';

/**
 * Starts databases, Redis, migrations and services. Everything started is on the stack.
 * @param {object} options
 * @param {Record<string, number>} options.ports
 * @param {Record<string, string> | undefined} options.databaseUrls of existing databases, undefined for our own
 * @param {boolean} options.watch restarts a service when its sources change
 * @param {import('../stack.js').Stack} options.stack
 * @param {AbortSignal} options.signal
 * @returns {Promise<{ gaveUp: Promise<never> }>}
 */
export async function openShop({ ports, databaseUrls, watch, stack, signal }) {
  const secretsAreKept = existsSync(join(DATA, 'secrets.json'));
  const secrets = await loadSecrets();
  const keeper = createKeeper(stack);
  const databases = databaseUrls
    ? { urls: databaseUrls, migrationSettings: {} }
    : await openPostgres({ keeper, secrets, secretsAreKept, signal });
  const redis = process.env.REDIS_URL ? undefined : await openRedis({ keeper, signal });
  const urls = Object.fromEntries(
    SERVICES.map(({ name }) => [name, localUrl(ports[name] ?? 0, process.env.HOST)]),
  );
  writeRun({ urls, databases: databases.urls, ...(redis && { redis }) });

  const services = SERVICES.map(({ name }) => ({
    name,
    url: urls[name] ?? '',
    watch,
    env: serviceEnvironment({
      name,
      base: process.env,
      port: ports[name] ?? 0,
      databaseUrl: databases.urls[name] ?? '',
      redisUrl: process.env.REDIS_URL || redis,
      secrets,
      urls,
    }),
    migrationSettings: databases.migrationSettings[name],
    signal,
  }));
  await step('Applying migrations', () => together(services.map(migrate)));
  await openServices(services, keeper);
  signal.throwIfAborted();
  printBanner(urls);
  return { gaveUp: keeper.gaveUp };
}

/**
 * @param {object} options
 * @param {import('./keep-running.js').Keeper} options.keeper
 * @param {import('../secrets.js').Secrets} options.secrets
 * @param {boolean} options.secretsAreKept
 * @param {AbortSignal} options.signal
 * @returns {Promise<import('../postgres/databases.js').Databases>}
 */
async function openPostgres({ keeper, secrets, secretsAreKept, signal }) {
  const password = secrets.postgresPassword;
  const { launched, port, options } = await startEmbeddedPostgres({
    path: POSTGRES_DATA,
    logFile: join(DATA, 'postgres.log'),
    password,
    passwordIsKept: secretsAreKept,
    settings: POSTGRES_SETTINGS,
    signal,
  });
  const relaunch = () => launchPostgres({ ...options, port });
  const kept = keeper.keep({ name: 'postgres', launched, relaunch, end: stopPostgres });
  const databases = await ensureDatabases({ password, port, rolePasswords: secrets.rolePasswords });
  kept.supervise();
  return databases;
}

/**
 * @param {{ keeper: import('./keep-running.js').Keeper, signal: AbortSignal }} options
 * @returns {Promise<string | undefined>} its address; undefined without a Redis: the shop works without one
 */
async function openRedis({ keeper, signal }) {
  const binary = findRedisServer();
  if (!binary) return void warn(`There is no redis-server or valkey-server on PATH. ${WITHOUT_REDIS}`);
  const logFile = join(DATA, 'redis.log');
  await rm(logFile, { force: true });
  try {
    const { launched, url, options } = await startRedis({ binary, logFile, signal });
    say(`Redis: ${binary}`);
    keeper
      .keep({ name: 'redis', launched, relaunch: () => launchRedis(options), end: stopRedis })
      .supervise();
    return url;
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    return void warn(`${explain(error)}\n${WITHOUT_REDIS}`);
  }
}

/**
 * @param {{ name: string, url: string, env: NodeJS.ProcessEnv, watch: boolean, signal: AbortSignal }[]} services
 * @param {import('./keep-running.js').Keeper} keeper
 */
async function openServices(services, keeper) {
  const opened = services.map((service) => {
    const launched = launchService(service);
    const relaunch = () => launchService(service);
    const end = (/** @type {typeof launched} */ current) => stop(current, 'SIGTERM', STOP_TIMEOUT_MS);
    return { ...service, launched, kept: keeper.keep({ name: service.name, launched, relaunch, end }) };
  });
  await Promise.all(opened.map(untilReady));
  for (const { kept } of opened) kept.supervise();
}

/**
 * Waits for all even if one fails, so that nothing is still running when the stop begins.
 * @param {Promise<void>[]} works
 */
async function together(works) {
  const failed = (await Promise.allSettled(works)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
