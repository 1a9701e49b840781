import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { endProcess, processIdentity } from '../processes.js';

const STOP_TIMEOUT_MS = 30_000;

/**
 * Stops a PostgreSQL that still runs on this data after its starter was killed, and forgets the pid file of one that
 * is gone.
 * @param {string} folder
 * @param {(pid: number) => void} onFound
 */
export async function stopLeftoverPostgres(folder, onFound) {
  const pidFile = join(folder, 'postmaster.pid');
  const content = await readFile(pidFile, 'utf8').catch(() => '');
  const pid = Number.parseInt(content, 10);
  if (!pid || processIdentity(pid) === undefined) return;
  if (!commandLine(pid).includes(folder)) {
    // Some other program got the pid: PostgreSQL would refuse to start because of it.
    await rm(pidFile, { force: true });
    return;
  }
  onFound(pid);
  await endProcess(pid, 'SIGINT', STOP_TIMEOUT_MS);
}

/** @param {number} pid */
function commandLine(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
  }
}
