import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { explain, Interrupted } from '../failure.ts';
import { type Databases, ensureDatabases } from '../postgres/databases.ts';
import { launchPostgres, startEmbeddedPostgres, stopPostgres } from '../postgres/server.ts';
import { stop } from '../processes.ts';
import { findRedisServer, launchRedis, startRedis, stopRedis } from '../redis-server.ts';
import { loadSecrets, type Secrets } from '../secrets.ts';
import { DATA, POSTGRES_DATA, SERVICES } from '../shop.ts';
import type { Stack } from '../stack.ts';
import { say, step, warn } from '../terminal.ts';
import { printBanner } from './banner.ts';
import { localUrl, serviceEnvironment } from './environment.ts';
import { createKeeper, type Keeper } from './keep-running.ts';
import { writeRun } from './run-file.ts';
import { launchService, migrate, untilReady } from './service.ts';

// Enough for three pools, the job runners and a psql.
const POSTGRES_SETTINGS = ['max_connections=200', 'log_checkpoints=off'];
// Longer than a service gives its last requests.
const STOP_TIMEOUT_MS = 20_000;
const WITHOUT_REDIS = 'Without Redis, caches and rate limits are kept inside each service and end with it.';

/** Starts databases, Redis, migrations and services. Everything started is on the stack. */
export async function openShop({
  ports,
  databaseUrls,
  watch,
  stack,
  signal,
}: {
  ports: Record<string, number>;
  /** Of existing databases, undefined for our own. */
  databaseUrls: Record<string, string> | undefined;
  /** Restarts a service when its sources change. */
  watch: boolean;
  stack: Stack;
  signal: AbortSignal;
}): Promise<{ gaveUp: Promise<never> }> {
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

async function openPostgres({
  keeper,
  secrets,
  secretsAreKept,
  signal,
}: {
  keeper: Keeper;
  secrets: Secrets;
  secretsAreKept: boolean;
  signal: AbortSignal;
}): Promise<Databases> {
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

/** @returns its address; undefined without a Redis: the shop works without one */
async function openRedis({
  keeper,
  signal,
}: {
  keeper: Keeper;
  signal: AbortSignal;
}): Promise<string | undefined> {
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

async function openServices(
  services: { name: string; url: string; env: NodeJS.ProcessEnv; watch: boolean; signal: AbortSignal }[],
  keeper: Keeper,
) {
  const opened = services.map((service) => {
    const launched = launchService(service);
    const relaunch = () => launchService(service);
    const end = (current: typeof launched) => stop(current, 'SIGTERM', STOP_TIMEOUT_MS);
    return { ...service, launched, kept: keeper.keep({ name: service.name, launched, relaunch, end }) };
  });
  await Promise.all(opened.map(untilReady));
  for (const { kept } of opened) kept.supervise();
}

/** Waits for all even if one fails, so that nothing is still running when the stop begins. */
async function together(works: Promise<void>[]) {
  const failed = (await Promise.allSettled(works)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
