import { renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { errorCode, Failure } from './failure.ts';

/** @returns undefined when there is no such file */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    if (error instanceof SyntaxError) throw new Failure(`${path} is damaged: it holds no valid JSON.`);
    throw error;
  }
}

/** Writes a file that only the owner can read, atomically. */
export function writePrivateJson(path: string, value: unknown) {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}
