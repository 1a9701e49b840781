import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure, Interrupted } from '../failure.js';
import { freePort } from '../ports.js';
import { killGroup, launch, sleep, stop } from '../processes.js';
import { withConnection } from './sql.js';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const ATTEMPTS = 3;

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
 * Starts PostgreSQL on a free port of 127.0.0.1 and waits until it answers.
 * @param {PostgresOptions} options
 * @returns {Promise<{ launched: import('../processes.js').Launched, port: number }>}
 */
export async function startPostgres(options) {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const launched = launchPostgres({ ...options, port });
    try {
      await untilAnswers({ ...options, port, launched });
      return { launched, port };
    } catch (error) {
      await stopPostgres(launched);
      const portTaken = error instanceof Failure && /could not (bind|create any TCP)/i.test(error.message);
      if (!portTaken || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * @param {Omit<PostgresOptions, 'password' | 'signal'> & { port: number }} options
 */
export function launchPostgres({ binaries, folder, user, settings, logFile, port }) {
  // The server writes to a file and not to us: it must outlive us without a broken pipe.
  const log = openSync(logFile, 'a', 0o600);
  try {
    const all = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'timezone=UTC', ...settings];
    return launch({
      command: binaries.postgres,
      args: ['-D', folder, '-p', String(port), ...all.flatMap((setting) => ['-c', setting])],
      cwd: dirname(folder),
      env: { ...process.env, LC_MESSAGES: 'C' },
      user,
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
}

/**
 * @param {import('../processes.js').Launched} launched
 */
export async function stopPostgres(launched) {
  // SIGINT is the fast shutdown: open transactions roll back, then a checkpoint. SIGQUIT skips the checkpoint.
  const impatient = setTimeout(() => launched.child.kill('SIGQUIT'), STOP_TIMEOUT_MS);
  await stop(launched, 'SIGINT', STOP_TIMEOUT_MS + 5_000);
  clearTimeout(impatient);
  killGroup(launched.pid, 'SIGKILL');
}

/**
 * @param {string} password
 * @param {number} port
 * @param {string} [database]
 */
export function superuserUrl(password, port, database = 'postgres') {
  return `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`;
}

/**
 * @param {PostgresOptions & { port: number, launched: import('../processes.js').Launched }} options
 */
async function untilAnswers({ password, port, launched, logFile, signal }) {
  let ended = false;
  void launched.exited.then(() => {
    ended = true;
  });
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (signal.aborted) throw new Interrupted();
    if (ended) throw new Failure(`PostgreSQL does not start. ${await reasonIn(logFile)}`);
    try {
      await withConnection(superuserUrl(password, port), (client) => client.query('SELECT 1'));
      return;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === '28P01') {
        throw new Failure(
          'PostgreSQL refuses the kept password: .data/secrets.json does not belong to this data. ' +
            'Restore that file, or begin anew with: npm start -- --fresh',
        );
      }
      await sleep(100);
    }
  }
  throw new Failure(
    `PostgreSQL did not answer within ${READY_TIMEOUT_MS / 1000} s. ${await reasonIn(logFile)}`,
  );
}

/** @param {string} logFile */
async function reasonIn(logFile) {
  const lines = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n');
  if (lines.some((line) => /no space left/i.test(line))) return 'The disk is full.';
  return `The end of ${logFile}:\n${lines.slice(-8).join('\n')}`;
}
