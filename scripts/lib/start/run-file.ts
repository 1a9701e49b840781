import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson, writePrivateJson } from '../json-file.ts';
import { DATA, type PerService } from '../shop.ts';

const FILE = join(DATA, 'run.json');

/** The addresses and processes of the running shop: for other commands, and for the next start if this one is killed. */
export interface Run {
  pid: number;
  urls: PerService<string>;
  /** Connection strings. */
  databases: PerService<string>;
  /** The Redis that was started with it. */
  redis?: string;
}

/** @returns of the last start that has not stopped in order */
export const readRun = async (): Promise<Run | undefined> => (await readJson(FILE)) as Run | undefined;

/** @returns of the shop that runs now */
export async function currentRun(): Promise<Run | undefined> {
  const run = await readRun();
  return run && isAlive(run.pid) ? run : undefined;
}

export const writeRun = (run: Omit<Run, 'pid'>) => writePrivateJson(FILE, { pid: process.pid, ...run });

export const removeRun = () => rm(FILE, { force: true });

function isAlive(pid: number) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
