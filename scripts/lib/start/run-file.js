import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson, writePrivateJson } from '../json-file.js';
import { processIdentity } from '../processes.js';
import { DATA } from '../shop.js';

const FILE = join(DATA, 'run.json');

/**
 * What runs right now: for the next start, should this one be killed, and for the other scripts.
 *
 * @typedef {object} Run
 * @property {number} pid
 * @property {string} identity
 * @property {Record<string, { pid: number, identity: string }>} children
 * @property {Record<string, string>} urls the service's name to its address
 * @property {Record<string, string>} databases the service's name to its connection string
 */

/** @returns {Promise<Run | undefined>} of the last start that has not ended in order */
export async function readRun() {
  return /** @type {Run | undefined} */ (await readJson(FILE));
}

/** @param {Run} run */
export function isRunning(run) {
  return processIdentity(run.pid) === run.identity;
}

export async function removeRun() {
  await rm(FILE, { force: true });
}

export function createRunFile() {
  /** @type {Run} */
  const run = {
    pid: process.pid,
    identity: processIdentity(process.pid) ?? '',
    children: {},
    urls: {},
    databases: {},
  };
  const save = () => writePrivateJson(FILE, run);
  return {
    /**
     * @param {string} name
     * @param {number} pid
     */
    child(name, pid) {
      run.children[name] = { pid, identity: processIdentity(pid) ?? '' };
      save();
    },
    /** @param {Pick<Run, 'urls' | 'databases'>} addresses */
    addresses({ urls, databases }) {
      run.urls = urls;
      run.databases = databases;
      save();
    },
  };
}

/** @typedef {ReturnType<typeof createRunFile>} RunFile */
