import { join } from 'node:path';
import { build } from '../scripts/lib/build.ts';
import { Failure } from '../scripts/lib/failure.ts';
import { runInForeground } from '../scripts/lib/processes.ts';
import { ROOT } from '../scripts/lib/shop.ts';
import { stopSignal } from '../scripts/lib/signals.ts';
import { currentRun } from '../scripts/lib/start/run-file.ts';

const GRACE_MS = 3_000;

/**
 * Runs user-service's command on the database of the shop that runs from this folder.
 * @returns exit code
 */
export async function main(args: string[]): Promise<number> {
  const signal = stopSignal();
  const databaseUrl = await findDatabase();
  await build(signal);
  return runInForeground({
    command: process.execPath,
    args: [join('dist', 'admin.js'), ...args],
    cwd: join(ROOT, 'user-service'),
    env: { ...process.env, DATABASE_URL: databaseUrl },
    signal,
    graceMs: GRACE_MS,
  });
}

/** USER_DATABASE_URL, else that of the running shop. */
async function findDatabase() {
  const url = process.env.USER_DATABASE_URL || (await currentRun())?.databases['user-service'];
  if (!url)
    throw new Failure('The shop is not running here: start it with npm start, or set USER_DATABASE_URL.');
  return url;
}
