import { lstatSync, readlinkSync } from 'node:fs';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { requireSpace } from '../disk.js';
import { errorCode, Failure } from '../failure.js';
import { runTool } from '../processes.js';
import { say } from '../terminal.js';
import { canReach } from './server-user.js';

const NEEDED_MB = 300;
// Upper and lower case beyond ASCII need a UTF-8 locale; C.UTF-8 sorts by code point, alike everywhere.
const LOCALES = ['C.UTF-8', 'en_US.UTF-8', 'C'];

/**
 * Where the data at `path` really is. Below a folder that the server's user cannot enter (root's home), it goes to
 * /var/lib and `path` becomes a link to it.
 * @param {string} path
 * @param {import('./server-user.js').SystemUser | undefined} user
 */
export async function locateData(path, user) {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry?.isSymbolicLink()) {
    const target = await readlink(path);
    if (lstatSync(dirname(target), { throwIfNoEntry: false })) return target;
    await unlink(path);
  } else if (entry || canReach(dirname(path), user)) {
    if (canReach(dirname(path), user)) return path;
    throw new Failure(
      `The system user postgres cannot reach its data at ${path}. Move the checkout to where it can.`,
    );
  }
  const home = await mkdtemp('/var/lib/shop-');
  await chmod(home, 0o711);
  await symlink(join(home, 'data'), path);
  say(`The system user postgres cannot enter ${dirname(path)}, so the database lives in ${home}.`);
  return join(home, 'data');
}

/**
 * The same without making anything.
 * @param {string} path
 */
export function locateExisting(path) {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : path;
}

/**
 * @param {string} path as given to locateData
 */
export async function removeData(path) {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    await rm(dirname(await readlink(path)), { recursive: true, force: true });
  }
  await rm(path, { recursive: true, force: true });
}

/** @param {string} folder */
export async function isInitialised(folder) {
  try {
    return (await readdir(folder)).length > 0;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/**
 * @param {string} folder initialised
 * @param {number} major of the server
 */
export async function requireSameMajor(folder, major) {
  const found = await readFile(join(folder, 'PG_VERSION'), 'utf8').catch(() => 'unknown');
  if (found.trim() === String(major)) return;
  throw new Failure(
    `${folder} was made by PostgreSQL ${found.trim()}, but this shop brings PostgreSQL ${major}. ` +
      'Dump it with the old version first, or begin anew with: npm start -- --fresh',
  );
}

/**
 * Makes a cluster with a superuser `postgres`. Whole or not at all: it gets its name when it is complete.
 * @param {{ folder: string, initdb: string, user: import('./server-user.js').SystemUser | undefined, password: string, signal: AbortSignal }} options
 */
export async function initialise({ folder, initdb, user, password, signal }) {
  const home = dirname(folder);
  await requireSpace(home, NEEDED_MB, 'the database');
  const unfinished = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user) await chown(passwordFile, user.uid, user.gid);
  try {
    await withFirstLocale(async (locale) => {
      await rm(unfinished, { recursive: true, force: true });
      await mkdir(unfinished, { mode: 0o700 });
      if (user) await chown(unfinished, user.uid, user.gid);
      const flags = ['--auth=scram-sha-256', '--username=postgres', '--encoding=UTF8', '--no-instructions'];
      await runTool({
        title: 'The database cannot be initialised',
        command: initdb,
        args: [`--pgdata=${unfinished}`, `--pwfile=${passwordFile}`, `--locale=${locale}`, ...flags],
        cwd: home,
        env: { ...process.env, LC_ALL: 'C' },
        user,
        signal,
      });
    });
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** @param {(locale: string) => Promise<void>} work */
async function withFirstLocale(work) {
  for (const locale of LOCALES) {
    try {
      return await work(locale);
    } catch (error) {
      const unknownLocale = error instanceof Failure && /invalid locale/i.test(error.message);
      if (!unknownLocale || locale === LOCALES.at(-1)) throw diskFull(error);
    }
  }
}

/** @param {unknown} error */
function diskFull(error) {
  const full = error instanceof Failure && /no space left/i.test(error.message);
  return full ? new Failure('The disk is full: the database cannot be initialised.') : error;
}
