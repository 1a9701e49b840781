import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian has servers; ordinary users do not have these folders on PATH. */
const SYSTEM = ['/usr/sbin', '/usr/local/sbin'];

/**
 * The path of a program of this machine, if it has one.
 * @param {string} name
 * @param {string[]} [further] folders, after those of PATH
 * @returns {string | undefined}
 */
export function findProgram(name, further = []) {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...SYSTEM, ...further];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
