import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson, writePrivateJson } from '../json-file.js';
import { DATA } from '../shop.js';

const FILE = join(DATA, 'run.json');

/**
 * The addresses and processes of the running shop: for other commands, and for the next start if this one is killed.
 *
 * @typedef {object} Run
 * @property {number} pid
 * @property {Record<string, string>} urls the service's name to its address
 * @property {Record<string, string>} databases the service's name to its connection string
 * @property {string} [redis] the Redis that was started with it
 */

/** @returns {Promise<Run | undefined>} of the last start that has not stopped in order */
export const readRun = async () => /** @type {Run | undefined} */ (await readJson(FILE));

/** @returns {Promise<Run | undefined>} of the shop that runs now */
export async function currentRun() {
  const run = await readRun();
  return run && isAlive(run.pid) ? run : undefined;
}

/** @param {Omit<Run, 'pid'>} run */
export const writeRun = (run) => writePrivateJson(FILE, { pid: process.pid, ...run });

export const removeRun = () => rm(FILE, { force: true });

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
