import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { errorCode } from './failure.js';

/**
 * Changes when a file under one of the paths changes, comes or goes. A missing path counts as empty.
 * @param {string} root
 * @param {string[]} paths files and folders, relative to root
 * @param {(path: string) => boolean} [skip]
 */
export async function fingerprint(root, paths, skip = () => false) {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of await filesUnder(join(root, path), skip)) {
      hash.update(`${relative(root, file)}\0`);
      hash.update(await readFile(file));
    }
  }
  return hash.digest('hex');
}

/**
 * @param {string} path
 * @param {(path: string) => boolean} [skip]
 * @returns {Promise<string[]>} sorted
 */
export async function filesUnder(path, skip = () => false) {
  try {
    if ((await stat(path)).isFile()) return [path];
    const entries = await readdir(path, { withFileTypes: true, recursive: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !skip(file))
      .sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
