import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stop } from '../processes.js';
import { loadSecrets } from '../secrets.js';
import { DATA, SERVICES } from '../shop.js';
import { step } from '../terminal.js';
import { openPostgres, openRedis } from './backing-servers.js';
import { printBanner } from './banner.js';
import { localUrl, serviceEnvironment } from './environment.js';
import { createKeeper } from './keeper.js';
import { createRunFile } from './run-file.js';
import { refuseNewerSchema } from './schema-version.js';
import { launchService, migrate, untilReady } from './service.js';

// Longer than a service lets its last requests take.
const STOP_TIMEOUT_MS = 20_000;

/**
 * @typedef {object} OpeningService
 * @property {string} name
 * @property {string} url
 * @property {string} database
 * @property {NodeJS.ProcessEnv} env
 */

/**
 * Databases, Redis, migrations, services. Everything started is on the stack.
 * @param {object} options
 * @param {Record<string, number>} options.ports
 * @param {Record<string, string> | undefined} options.databaseUrls of existing databases, undefined for our own
 * @param {import('../stack.js').Stack} options.stack
 * @param {AbortSignal} options.signal
 * @returns {Promise<{ gaveUp: Promise<never> }>}
 */
export async function openShop({ ports, databaseUrls, stack, signal }) {
  const secretsAreKept = existsSync(join(DATA, 'secrets.json'));
  const secrets = await loadSecrets();
  const runFile = createRunFile();
  const keeper = createKeeper({ stack, runFile });

  const databases = databaseUrls ?? (await openPostgres({ keeper, secrets, secretsAreKept, signal }));
  const redisUrl = process.env.REDIS_URL || (await openRedis({ keeper, signal }));
  const urls = Object.fromEntries(
    SERVICES.map(({ name }) => [name, localUrl(ports[name] ?? 0, process.env.HOST)]),
  );
  runFile.addresses({ urls, databases });

  const services = SERVICES.map(({ name }) => ({
    name,
    url: urls[name] ?? '',
    database: databases[name] ?? '',
    env: serviceEnvironment({
      name,
      base: process.env,
      port: ports[name] ?? 0,
      databaseUrl: databases[name] ?? '',
      redisUrl,
      secrets,
      urls,
    }),
  }));
  await step('Applying migrations', () => migrateAll(services, databaseUrls === undefined, signal));
  await openServices(services, keeper, signal);
  signal.throwIfAborted();
  printBanner(urls);
  return { gaveUp: keeper.gaveUp };
}

/**
 * @param {OpeningService[]} services
 * @param {boolean} embedded
 * @param {AbortSignal} signal
 */
async function migrateAll(services, embedded, signal) {
  for (const { name, database } of services) await refuseNewerSchema({ name, url: database, embedded });
  await together(services.map(({ name, env }) => migrate(name, env, signal)));
}

/**
 * @param {OpeningService[]} services
 * @param {import('./keeper.js').Keeper} keeper
 * @param {AbortSignal} signal
 */
async function openServices(services, keeper, signal) {
  const opened = services.map(({ name, url, env }) => {
    const launched = launchService(name, env);
    const kept = keeper.keep({
      name,
      launched,
      relaunch: () => launchService(name, env),
      end: (current) => stop(current, 'SIGTERM', STOP_TIMEOUT_MS),
    });
    return { name, url, launched, kept };
  });
  await Promise.all(opened.map(({ name, url, launched }) => untilReady({ name, url, launched, signal })));
  for (const { kept } of opened) kept.supervise();
}

/**
 * Waits for all even when one fails, so that nothing is still at work when the stop begins.
 * @param {Promise<void>[]} works
 */
async function together(works) {
  const failed = (await Promise.allSettled(works)).find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
