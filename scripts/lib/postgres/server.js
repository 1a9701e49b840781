import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, Failure, Interrupted } from '../failure.js';
import { freePort } from '../ports.js';
import { killGroup, launch, sleep, stop } from '../processes.js';
import { step, warn } from '../terminal.js';
import { postgresBinaries } from './binaries.js';
import { initialise, isInitialised, locateData, requireSameMajor } from './data-folder.js';
import { serverUser } from './server-user.js';
import { withConnection } from './sql.js';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const ATTEMPTS = 3;
const START_FRESH = 'or delete all data with: npm start -- --fresh';

/**
 * @typedef {object} PostgresOptions
 * @property {import('./binaries.js').Binaries} binaries
 * @property {string} folder initialised data
 * @property {import('./server-user.js').SystemUser | undefined} user
 * @property {string} password of the superuser
 * @property {string[]} settings `name=value`
 * @property {string} logFile
 * @property {AbortSignal} signal
 */

/**
 * Starts PostgreSQL on the data at `path`, which is created if missing.
 * @param {object} options
 * @param {string} options.path of the data
 * @param {string} options.logFile emptied first
 * @param {string} options.password of the superuser
 * @param {boolean} options.passwordIsKept false when it was made just now: data of last time cannot be opened then
 * @param {string[]} options.settings
 * @param {AbortSignal} options.signal
 * @returns {Promise<{ launched: import('../processes.js').Launched, port: number, options: PostgresOptions }>}
 */
export async function startEmbeddedPostgres({ path, logFile, password, passwordIsKept, settings, signal }) {
  const systemUser = serverUser();
  const folder = await locateData(path, systemUser);
  await stopLeftover(folder);
  const binaries = await postgresBinaries({ user: systemUser, home: dirname(folder), signal });
  if (await isInitialised(folder)) {
    await requireSameMajor(folder, binaries.major);
    if (!passwordIsKept) {
      throw new Failure(
        `${folder} holds data, but .data/secrets.json with its password is missing. Restore that file, ${START_FRESH}`,
      );
    }
  } else {
    const { initdb } = binaries;
    await step('Initialising the database', () =>
      initialise({ folder, initdb, user: systemUser, password, signal }),
    );
  }
  await rm(logFile, { force: true });
  // Data created by an ordinary user stays with that user even if root starts it.
  const user = systemUser && (await stat(folder).then(({ uid, gid }) => ({ uid, gid })));
  const options = { binaries, folder, user, password, settings, logFile, signal };
  return { ...(await startOnFreePort(options)), options };
}

/** @param {PostgresOptions} options */
async function startOnFreePort(options) {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const launched = launchPostgres({ ...options, port });
    try {
      await untilResponding({ ...options, port, launched });
      return { launched, port };
    } catch (error) {
      await stopPostgres(launched);
      const portTaken = error instanceof Failure && /could not (bind|create any TCP)/i.test(error.message);
      if (!portTaken || attempt === ATTEMPTS) throw error;
    }
  }
}

/** @param {Omit<PostgresOptions, 'password' | 'signal'> & { port: number }} options */
export function launchPostgres({ binaries, folder, user, settings, logFile, port }) {
  // The server writes to a file, because a pipe would break if it outlives this process.
  const log = openSync(logFile, 'a', 0o600);
  const all = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'timezone=UTC', ...settings];
  const launched = launch({
    command: binaries.postgres,
    args: ['-D', folder, '-p', String(port), ...all.flatMap((setting) => ['-c', setting])],
    cwd: dirname(folder),
    env: { ...process.env, LC_MESSAGES: 'C' },
    user,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return launched;
}

/** @param {import('../processes.js').Launched} launched */
export async function stopPostgres(launched) {
  // SIGINT is the fast shutdown: open transactions roll back, then a checkpoint. SIGQUIT skips the checkpoint.
  const impatient = setTimeout(() => launched.child.kill('SIGQUIT'), STOP_TIMEOUT_MS);
  await stop(launched, 'SIGINT', STOP_TIMEOUT_MS + 5_000);
  clearTimeout(impatient);
  killGroup(launched.pid, 'SIGKILL');
}

/**
 * Stops a server that still runs on this data because the process that started it was killed.
 * @param {string} folder
 */
async function stopLeftover(folder) {
  const pidFile = join(folder, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  if (!pid) return;
  const isOurs = () => commandLine(pid).includes(folder);
  // Another program may have the pid now, which would make PostgreSQL refuse to start.
  if (!isOurs()) return rm(pidFile, { force: true });
  warn(`PostgreSQL (process ${pid}) is left from a start that was killed; stopping it.`);
  process.kill(pid, 'SIGINT');
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (isOurs() && Date.now() < deadline) await sleep(50);
  if (isOurs()) process.kill(pid, 'SIGKILL');
}

/** @param {number} pid */
function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/**
 * @param {string} password
 * @param {number} port
 * @param {string} [database]
 */
export const superuserUrl = (password, port, database = 'postgres') =>
  `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`;

/** @param {PostgresOptions & { port: number, launched: import('../processes.js').Launched }} options */
async function untilResponding({ password, port, launched, logFile, signal }) {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (signal.aborted) throw new Interrupted();
    if (!launched.isRunning()) throw new Failure(`PostgreSQL does not start. ${await lastLines(logFile)}`);
    try {
      await withConnection(superuserUrl(password, port), (client) => client.query('SELECT 1'));
      return;
    } catch (error) {
      if (errorCode(error) === '28P01') {
        throw new Failure(
          `PostgreSQL refuses the password of .data/secrets.json: that file belongs to other data. Restore the right one, ${START_FRESH}`,
        );
      }
      await sleep(100);
    }
  }
  const seconds = READY_TIMEOUT_MS / 1000;
  throw new Failure(`PostgreSQL did not respond within ${seconds} s. ${await lastLines(logFile)}`);
}

/** @param {string} logFile */
async function lastLines(logFile) {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  if (/no space left/i.test(text)) return 'The disk is full.';
  return `The end of ${logFile}:\n${text.trim().split('\n').slice(-8).join('\n')}`;
}
