import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import lockfile from 'proper-lockfile';
import { Interrupted } from './failure.ts';
import { sleep } from './processes.ts';

/** Milliseconds after which the lock of a killed process is free. */
const STALE_MS = 5_000;
const POLL_MS = 500;

/**
 * Takes a lock of this checkout, which ends with the process.
 * @param options waitMs: how long to wait for another process; by default until it is done
 * @returns the release; undefined when another process keeps the lock
 */
export async function takeLock(
  file: string,
  {
    signal,
    waitMs = Number.POSITIVE_INFINITY,
    onWait,
  }: { signal: AbortSignal; waitMs?: number; onWait?: () => void },
): Promise<(() => Promise<void>) | undefined> {
  await mkdir(dirname(file), { recursive: true, mode: 0o711 });
  const giveUpAt = Date.now() + waitMs;
  for (let attempt = 0; ; attempt++) {
    if (signal.aborted) throw new Interrupted();
    const release = await lockfile
      .lock(file, { realpath: false, stale: STALE_MS, update: STALE_MS / 3 })
      .catch((error) => {
        if (error.code !== 'ELOCKED') throw error;
      });
    if (release !== undefined) return release;
    if (Date.now() >= giveUpAt) return undefined;
    if (attempt === 0) onWait?.();
    await sleep(POLL_MS);
  }
}

/** Milliseconds to wait for the lock of a process that may have been killed just now. */
export const UNTIL_STALE_MS = STALE_MS + 1_000;
