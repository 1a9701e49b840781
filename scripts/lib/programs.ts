import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian has servers; ordinary users do not have these folders on PATH. */
const SYSTEM = ['/usr/sbin', '/usr/local/sbin'];

/**
 * The path of a program of this machine, if it has one.
 * @param further folders, after those of PATH
 */
export function findProgram(name: string, further: string[] = []): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...SYSTEM, ...further];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
