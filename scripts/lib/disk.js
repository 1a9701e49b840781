import { statfs } from 'node:fs/promises';
import { Failure } from './failure.js';

/**
 * @param {string} folder existing
 * @param {number} megabytes
 * @param {string} purpose "the database"
 */
export async function requireSpace(folder, megabytes, purpose) {
  const { bavail, bsize } = await statfs(folder);
  const free = Math.floor((bavail * bsize) / 1_000_000);
  if (free >= megabytes) return;
  throw new Failure(
    `Too little disk space at ${folder}: ${free} MB free, ${purpose} needs ${megabytes} MB. Make room and try again.`,
  );
}
