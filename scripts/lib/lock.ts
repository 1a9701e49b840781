import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';

/** Milliseconds after which the lock of a killed process is free. */
const STALE_MS = 5_000;
/** Milliseconds to wait for the lock of a process that may have been killed just now. */
export const UNTIL_STALE_MS = STALE_MS + 1_000;
const POLL_MS = 500;

interface Waiting {
  signal: AbortSignal;
  /** How long to wait for another process; by default until it is done. */
  waitMs?: number;
  onWait?: () => void;
}

/**
 * Takes a lock of this checkout, which ends with the process.
 * @returns the release; undefined when another process keeps the lock
 */
export async function takeLock(file: string, { signal, waitMs = Infinity, onWait }: Waiting) {
  await mkdir(dirname(file), { recursive: true, mode: 0o711 });
  const options = { realpath: false, stale: STALE_MS, update: STALE_MS / 3 };
  for (const giveUpAt = Date.now() + waitMs; ; await sleep(POLL_MS)) {
    signal.throwIfAborted();
    const release = await lockfile.lock(file, options).catch((error) => {
      if (error.code !== 'ELOCKED') throw error;
    });
    if (release !== undefined) return release;
    if (Date.now() >= giveUpAt) return undefined;
    onWait?.();
    onWait = undefined;
  }
}
