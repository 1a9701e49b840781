import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { locateExisting, removeData } from '../postgres/data-folder.js';
import { stopLeftoverPostgres } from '../postgres/leftover.js';
import { endProcess, processIdentity } from '../processes.js';
import { DATA } from '../shop.js';
import { warn } from '../terminal.js';
import { readRun, removeRun } from './run-file.js';

export const POSTGRES_DATA = join(DATA, 'postgres');

const STOP_TIMEOUT_MS = 20_000;
const STOPPED_BY_ITS_PID_FILE = 'postgres';

/**
 * Stops what an earlier start left running because it was killed itself. Only with the lock in hand.
 */
export async function stopLeftovers() {
  const run = await readRun().catch(() => undefined);
  const children = Object.entries(run?.children ?? {}).reverse();
  for (const [name, { pid, identity }] of children) {
    if (name === STOPPED_BY_ITS_PID_FILE || identity === '' || processIdentity(pid) !== identity) continue;
    warn(`${name} (process ${pid}) is left from a start that was killed; stopping it.`);
    await endProcess(pid, 'SIGTERM', STOP_TIMEOUT_MS);
  }
  await stopLeftoverPostgres(locateExisting(POSTGRES_DATA), (pid) =>
    warn(`PostgreSQL (process ${pid}) is left from a start that was killed; stopping it.`),
  );
  await removeRun();
}

/**
 * Throws everything of earlier starts away, but the locks.
 */
export async function removeAllData() {
  await removeData(POSTGRES_DATA);
  const rest = (await readdir(DATA)).filter((name) => !name.includes('.lock'));
  for (const name of rest) await rm(join(DATA, name), { recursive: true, force: true });
}
