import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { explain, Interrupted } from '../failure.ts';
import { ensureDatabases } from '../postgres/databases.ts';
import { startEmbeddedPostgres, stopPostgres } from '../postgres/server.ts';
import { type Launched, stop } from '../processes.ts';
import { findOne, REDIS } from '../programs.ts';
import { startRedis, stopRedis } from '../redis-server.ts';
import { loadSecrets } from '../secrets.ts';
import { DATA, type PerService, perService, SERVICES } from '../shop.ts';
import type { Stack } from '../stack.ts';
import { say, step, warn } from '../terminal.ts';
import { printBanner } from './banner.ts';
import { localUrl, serviceEnvironment } from './environment.ts';
import { createKeeper, type Keeper } from './keep-running.ts';
import { writeRun } from './run-file.ts';
import { launchService, migrate, type Service, untilReady } from './service.ts';

export const POSTGRES_DATA = join(DATA, 'postgres');
// Enough for three pools, the job runners and a psql.
const POSTGRES_SETTINGS = ['max_connections=200', 'log_checkpoints=off'];
// Longer than a service gives its last requests.
const STOP_TIMEOUT_MS = 20_000;
const WITHOUT_REDIS = 'Without Redis, caches and rate limits are kept inside each service and end with it.';

interface Options {
  ports: PerService<number>;
  /** Of existing databases, undefined for our own. */
  databaseUrls: PerService<string> | undefined;
  /** Restarts a service when its sources change. */
  watch: boolean;
  stack: Stack;
  signal: AbortSignal;
}

/** Starts databases, Redis, migrations and services. Everything started is on the stack. */
export async function openShop({ ports, databaseUrls, watch, stack, signal }: Options) {
  const { secrets, isNewPassword } = await loadSecrets();
  const keeper = createKeeper(stack);
  const { urls: databases, migrationSettings } = databaseUrls
    ? { urls: databaseUrls, migrationSettings: undefined }
    : await openPostgres();
  const ownRedis = process.env.REDIS_URL ? undefined : await openRedis(keeper, signal);
  const urls = perService(({ name }) => localUrl(ports[name], process.env.HOST));
  writeRun({ urls, databases, ...(ownRedis && { redis: ownRedis }) });

  const shop = { ports, urls, databases, redis: process.env.REDIS_URL || ownRedis, secrets };
  const services = SERVICES.map(({ name }) => ({
    ...{ name, url: urls[name], watch, signal },
    env: serviceEnvironment(name, shop),
    migrationSettings: migrationSettings?.[name],
  }));
  await step('Applying migrations', () => together(services.map(migrate)));
  await openServices(services, keeper);
  signal.throwIfAborted();
  printBanner(urls);
  return keeper;

  async function openPostgres() {
    const { postgresPassword: password, rolePasswords } = secrets;
    const logFile = join(DATA, 'postgres.log');
    const data = { path: POSTGRES_DATA, password, isNewPassword };
    const started = await startEmbeddedPostgres({ ...data, logFile, settings: POSTGRES_SETTINGS, signal });
    const kept = keeper.keep({ name: 'postgres', ...started, end: stopPostgres });
    const created = await ensureDatabases(password, started.port, rolePasswords);
    kept.supervise();
    return created;
  }
}

/** @returns its address; undefined without a Redis: the shop works without one */
async function openRedis(keeper: Keeper, signal: AbortSignal): Promise<string | undefined> {
  const binary = findOne(REDIS);
  if (!binary) return void warn(`There is no redis-server or valkey-server on PATH. ${WITHOUT_REDIS}`);
  const logFile = join(DATA, 'redis.log');
  await rm(logFile, { force: true });
  try {
    const started = await startRedis(binary, logFile, signal);
    say(`Redis: ${binary}`);
    keeper.keep({ name: 'redis', ...started, end: stopRedis }).supervise();
    return started.url;
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    return void warn(`${explain(error)}\n${WITHOUT_REDIS}`);
  }
}

async function openServices(services: Service[], keeper: Keeper) {
  const end = (launched: Launched) => stop(launched, 'SIGTERM', STOP_TIMEOUT_MS);
  const opened = services.map((service) => {
    const relaunch = () => launchService(service);
    const launched = relaunch();
    return { service, launched, kept: keeper.keep({ name: service.name, launched, relaunch, end }) };
  });
  await Promise.all(opened.map(({ service, launched }) => untilReady(service, launched)));
  for (const { kept } of opened) kept.supervise();
}

/** Waits for all even if one fails, so that nothing is still running when the stop begins. */
async function together(works: Promise<unknown>[]) {
  const failed = (await Promise.allSettled(works)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
