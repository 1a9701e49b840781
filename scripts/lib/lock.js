import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, Interrupted } from './failure.js';
import { processIdentity, sleep } from './processes.js';

const POLL_MS = 500;

/**
 * @typedef {{ pid: number, identity: string }} Holder
 * @typedef {{ release: () => Promise<void> }} Lock
 */

/**
 * A lock of this checkout that dies with its process: a file naming the holder.
 * @param {string} file
 * @returns {Promise<Lock | { holder: number }>} the holder's pid when it is taken
 */
export async function tryLock(file) {
  await mkdir(dirname(file), { recursive: true, mode: 0o711 });
  const mine = `${file}.${process.pid}`;
  await writeFile(mine, JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) }), {
    mode: 0o600,
  });
  try {
    for (;;) {
      if (await claim(mine, file)) return { release: () => unlink(file).catch(() => {}) };
      const content = await readFile(file, 'utf8').catch(() => undefined);
      const holder = content === undefined ? undefined : liveHolder(content);
      if (holder !== undefined) return { holder };
      if (content !== undefined) await removeStale(file, content);
    }
  } finally {
    await unlink(mine).catch(() => {});
  }
}

/**
 * @param {string} file
 * @param {{ signal: AbortSignal, onWait: (holder: number) => void }} options
 * @returns {Promise<Lock>}
 */
export async function waitForLock(file, { signal, onWait }) {
  let told = false;
  for (;;) {
    if (signal.aborted) throw new Interrupted();
    const lock = await tryLock(file);
    if ('release' in lock) return lock;
    if (!told) onWait(lock.holder);
    told = true;
    await sleep(POLL_MS);
  }
}

/**
 * link(2) fails when the name exists, and the file is complete from its first moment.
 * @param {string} mine
 * @param {string} file
 */
async function claim(mine, file) {
  try {
    await link(mine, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} content */
function liveHolder(content) {
  try {
    /** @type {Holder} */
    const { pid, identity } = JSON.parse(content);
    return processIdentity(pid) === identity ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Renaming first: of two that see the same stale lock, one gets it, and a fresh lock taken by mistake goes back.
 * @param {string} file
 * @param {string} expected
 */
async function removeStale(file, expected) {
  const aside = `${file}.stale.${process.pid}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  const content = await readFile(aside, 'utf8');
  if (content !== expected) await link(aside, file).catch(() => {});
  await unlink(aside);
}
