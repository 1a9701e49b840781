import { readdirSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../scripts/lib/failure.ts';
import { serverUser } from '../../scripts/lib/postgres/server-user.ts';
import { launch, stop } from '../../scripts/lib/processes.ts';
import { findProgram } from '../../scripts/lib/programs.ts';

/** Engines as Debian has them, as processes of a drill: they end with it. */

const PACKAGES: Record<string, string> = {
  haproxy: 'haproxy',
  pgbouncer: 'pgbouncer',
  'redis-server': 'redis-server',
  pg_basebackup: 'postgresql',
  pg_dump: 'postgresql',
  pg_restore: 'postgresql',
};
const DEBIAN = '/usr/lib/postgresql';

/** @throws Failure naming the package to install */
export function programOf(name: string): string {
  const found = findProgram(name, postgresFolders());
  if (found === undefined)
    throw new Failure(
      `This drill needs ${name}: apt-get install --no-install-recommends ${PACKAGES[name] ?? name}`,
    );
  return found;
}

/** PostgreSQL's own programs of the newest version that is installed. */
function postgresFolders(): string[] {
  try {
    const versions = readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(DEBIAN, version, 'bin'));
  } catch {
    return [];
  }
}

/** A folder that the engines' user can write to. */
export async function engineFolder(name: string): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `shop-drill-${name}-`));
  await chmod(path, 0o777);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export interface Engine {
  /** kill -9, of all its processes. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** A program in the background, in a process group of its own. */
export function startEngine(name: string, args: string[], cwd: string): Engine {
  const launched = launch({ command: programOf(name), args, cwd, user: serverUser() });
  return {
    async kill() {
      process.kill(-launched.pid, 'SIGKILL');
      await launched.exited;
    },
    stop: () => stop(launched, 'SIGTERM', 5000),
  };
}
