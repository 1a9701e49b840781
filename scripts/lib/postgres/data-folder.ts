import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  statfs,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import { runTool } from '../processes.ts';
import { say } from '../terminal.ts';
import { canReach, type SystemUser } from './server-user.ts';

const NEEDED_MB = 300;
// Case conversion beyond ASCII needs a UTF-8 locale; C.UTF-8 sorts by code point, the same everywhere.
const LOCALES = ['C.UTF-8', 'en_US.UTF-8', 'C'];

/**
 * The folder with the data of `path`. If the server's user cannot enter the parent folder (root's home), it is in /var/lib,
 * and `path` is a link to it.
 */
export async function locateData(path: string, user: SystemUser | undefined) {
  const existing = await realpath(path).catch(() => undefined);
  if (existing !== undefined || canReach(dirname(path), user)) return existing ?? path;
  const home = await mkdtemp('/var/lib/shop-');
  await chmod(home, 0o711);
  const data = join(home, 'data');
  await mkdir(data, { mode: 0o700 });
  await rm(path, { force: true });
  await symlink(data, path);
  say(`The system user postgres cannot enter ${dirname(path)}, so the database is in ${home}.`);
  return data;
}

/** @param path as given to locateData */
export async function removeData(path: string) {
  const folder = await realpath(path).catch(() => path);
  await rm(folder === path ? path : dirname(folder), { recursive: true, force: true });
  await rm(path, { recursive: true, force: true });
}

export async function isInitialised(folder: string) {
  return (await readdir(folder).catch(() => [])).length > 0;
}

/**
 * @param folder initialised
 * @param major of the server
 */
export async function requireSameMajor(folder: string, major: number) {
  const found = (await readFile(join(folder, 'PG_VERSION'), 'utf8').catch(() => 'unknown')).trim();
  if (found === String(major)) return;
  throw new Failure(
    `${folder} was made by PostgreSQL ${found}, but this shop brings PostgreSQL ${major}. ` +
      'Dump it with the old version first, or delete all data with: npm start -- --fresh',
  );
}

interface NewData {
  folder: string;
  initdb: string;
  user: SystemUser | undefined;
  password: string;
  signal: AbortSignal;
}

/** Creates a cluster with a superuser `postgres`. The folder is renamed to its final name when it is complete. */
export async function initialise({ folder, initdb, user, password, signal }: NewData) {
  const home = dirname(folder);
  await requireSpace(home);
  const unfinished = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  const give = async (path: string) => user && chown(path, user.uid, user.gid);
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await give(passwordFile);
  const initialiseWith = async (locale: string) => {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { mode: 0o700 });
    await give(unfinished);
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
  };
  try {
    await withFirstLocale(initialiseWith);
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function requireSpace(folder: string) {
  const { bavail, bsize } = await statfs(folder);
  const free = Math.floor((bavail * bsize) / 1_000_000);
  if (free >= NEEDED_MB) return;
  throw new Failure(
    `Too little disk space at ${folder}: ${free} MB free, the database needs ${NEEDED_MB} MB. Make room and try again.`,
  );
}

async function withFirstLocale(work: (locale: string) => Promise<void>) {
  for (const locale of LOCALES) {
    try {
      return await work(locale);
    } catch (error) {
      const message = error instanceof Failure ? error.message : '';
      if (/no space left/i.test(message))
        throw new Failure('The disk is full: the database cannot be initialised.');
      if (!/invalid locale/i.test(message) || locale === LOCALES.at(-1)) throw error;
    }
  }
}
