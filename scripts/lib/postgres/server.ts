import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode, Failure } from '../failure.ts';
import { freePort } from '../ports.ts';
import { killGroup, type Launched, launch, stop, untilResponding } from '../processes.ts';
import { lastLines, step, warn } from '../terminal.ts';
import { type Binaries, postgresBinaries } from './binaries.ts';
import { initialise, isInitialised, locateData, requireSameMajor } from './data-folder.ts';
import { type SystemUser, serverUser } from './server-user.ts';
import { withConnection } from './sql.ts';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const ATTEMPTS = 3;
const START_FRESH = 'or delete all data with: npm start -- --fresh';

interface PostgresOptions {
  /** Of the data, which is created if missing. */
  path: string;
  /** Emptied first. */
  logFile: string;
  /** Of the superuser. */
  password: string;
  /** It was made just now: data of last time cannot be opened then. */
  isNewPassword?: boolean;
  /** `name=value`. */
  settings: string[];
  signal: AbortSignal;
}

interface Server {
  binaries: Binaries;
  /** Initialised data. */
  folder: string;
  user: SystemUser | undefined;
  settings: string[];
  logFile: string;
  port: number;
}

export async function startEmbeddedPostgres(options: PostgresOptions) {
  const { path, logFile, password, isNewPassword, settings, signal } = options;
  const systemUser = serverUser();
  const folder = await locateData(path, systemUser);
  await stopLeftover(folder);
  const binaries = await postgresBinaries({ user: systemUser, home: dirname(folder), signal });
  if (!(await isInitialised(folder))) {
    const data = { folder, initdb: binaries.initdb, user: systemUser, password, signal };
    await step('Initialising the database', () => initialise(data));
  } else {
    await requireSameMajor(folder, binaries.major);
    if (isNewPassword)
      throw new Failure(
        `${folder} holds data, but .data/secrets.json with its password is missing. Restore that file, ${START_FRESH}`,
      );
  }
  await rm(logFile, { force: true });
  // Data created by an ordinary user stays with that user even if root starts it.
  const user = systemUser && (await stat(folder).then(({ uid, gid }) => ({ uid, gid })));
  for (let attempt = 1; ; attempt++) {
    const server = { binaries, folder, user, settings, logFile, port: await freePort() };
    const launched = launchPostgres(server);
    try {
      await requireResponse(server, launched, password, signal);
      return { launched, port: server.port, relaunch: () => launchPostgres(server) };
    } catch (error) {
      await stopPostgres(launched);
      const portTaken = error instanceof Failure && /could not (bind|create any TCP)/i.test(error.message);
      if (!portTaken || attempt === ATTEMPTS) throw error;
    }
  }
}

export function launchPostgres({ binaries, folder, user, settings, logFile, port }: Server) {
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

export async function stopPostgres(launched: Launched) {
  // SIGINT is the fast shutdown: open transactions roll back, then a checkpoint. SIGQUIT skips the checkpoint.
  const impatient = setTimeout(() => launched.child.kill('SIGQUIT'), STOP_TIMEOUT_MS);
  await stop(launched, 'SIGINT', STOP_TIMEOUT_MS + 5_000);
  clearTimeout(impatient);
  killGroup(launched.pid, 'SIGKILL');
}

/** Stops a server that still runs on this data because the process that started it was killed. */
async function stopLeftover(folder: string) {
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

/** Empty if there is no such process. Systems without /proc have ps. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    const args = ['-ww', '-o', 'command=', '-p', String(pid)];
    return spawnSync('ps', args, { encoding: 'utf8' }).stdout ?? '';
  }
}

export const superuserUrl = (password: string, port: number, database = 'postgres') =>
  `postgresql://postgres:${password}@127.0.0.1:${port}/${database}`;

async function requireResponse(server: Server, launched: Launched, password: string, signal: AbortSignal) {
  const responds = async () => {
    try {
      await withConnection(superuserUrl(password, server.port), (client) => client.query('SELECT 1'));
      return true;
    } catch (error) {
      if (errorCode(error) !== '28P01') return false;
      throw new Failure(
        `PostgreSQL refuses the password of .data/secrets.json: that file belongs to other data. Restore the right one, ${START_FRESH}`,
      );
    }
  };
  if (await untilResponding(launched, { limitMs: READY_TIMEOUT_MS, signal, responds })) return;
  const seconds = READY_TIMEOUT_MS / 1000;
  const problem = launched.isRunning() ? `did not respond within ${seconds} s` : 'does not start';
  throw new Failure(`PostgreSQL ${problem}. ${await lastLines(server.logFile, 8)}`);
}
