import { statfs } from 'node:fs/promises';
import { Failure } from './failure.ts';

/**
 * @param folder existing
 * @param purpose "the database"
 */
export async function requireSpace(folder: string, megabytes: number, purpose: string) {
  const { bavail, bsize } = await statfs(folder);
  const free = Math.floor((bavail * bsize) / 1_000_000);
  if (free >= megabytes) return;
  throw new Failure(
    `Too little disk space at ${folder}: ${free} MB free, ${purpose} needs ${megabytes} MB. Make room and try again.`,
  );
}
