import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { explain, Interrupted } from '../failure.js';
import { ensureDatabases } from '../postgres/databases.js';
import { startEmbeddedPostgres } from '../postgres/embedded.js';
import { launchPostgres, stopPostgres } from '../postgres/server.js';
import {
  findRedisServer,
  launchRedis,
  newRedisAddress,
  stopRedis,
  untilRedisAnswers,
} from '../redis-server.js';
import { DATA } from '../shop.js';
import { say, step, warn } from '../terminal.js';
import { POSTGRES_DATA } from './leftovers.js';

// Three pools, the job runner and some room for a psql beside them.
const SETTINGS = ['max_connections=200', 'log_checkpoints=off'];

/**
 * @param {object} options
 * @param {import('./keeper.js').Keeper} options.keeper
 * @param {import('../secrets.js').Secrets} options.secrets
 * @param {boolean} options.secretsAreKept
 * @param {AbortSignal} options.signal
 * @returns {Promise<Record<string, string>>} the service's name to its connection string
 */
export async function openPostgres({ keeper, secrets, secretsAreKept, signal }) {
  const password = secrets.postgresPassword;
  const { launched, port, options } = await startEmbeddedPostgres({
    path: POSTGRES_DATA,
    logFile: join(DATA, 'postgres.log'),
    password,
    passwordIsKept: secretsAreKept,
    settings: SETTINGS,
    signal,
  });
  const kept = keeper.keep({
    name: 'postgres',
    launched,
    relaunch: () => launchPostgres({ ...options, port }),
    end: stopPostgres,
  });
  const databases = await step('Preparing the databases', () =>
    ensureDatabases({ password, port, rolePasswords: secrets.rolePasswords }),
  );
  kept.supervise();
  return databases;
}

/**
 * @param {{ keeper: import('./keeper.js').Keeper, signal: AbortSignal }} options
 * @returns {Promise<string | undefined>} undefined without a Redis: the shop works without one
 */
export async function openRedis({ keeper, signal }) {
  const binary = findRedisServer();
  if (!binary) {
    warn(
      'No redis-server or valkey-server found: the cache and the rate limits live inside each service and end with it.',
    );
    return undefined;
  }
  const logFile = join(DATA, 'redis.log');
  await rm(logFile, { force: true });
  const { url, ...address } = await newRedisAddress();
  const options = { binary, logFile, ...address };
  const launched = launchRedis(options);
  try {
    await untilRedisAnswers(launched, { ...options, signal });
  } catch (error) {
    await stopRedis(launched);
    if (error instanceof Interrupted) throw error;
    warn(
      `${explain(error)}\nGoing on without Redis: the cache and the rate limits live inside each service.`,
    );
    return undefined;
  }
  say(`Redis: ${binary}`);
  keeper.keep({ name: 'redis', launched, relaunch: () => launchRedis(options), end: stopRedis }).supervise();
  return url;
}
