import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, Failure } from '../failure.js';
import { withConnection } from '../postgres/sql.js';
import { ROOT } from '../shop.js';

const UNDEFINED_TABLE = '42P01';

/**
 * Refuses a database that a newer version of the shop has migrated: the older code would misread it.
 * @param {{ name: string, url: string, embedded: boolean }} options
 */
export async function refuseNewerSchema({ name, url, embedded }) {
  const known = await readdir(join(ROOT, name, 'prisma', 'migrations')).catch(
    () => /** @type {string[]} */ ([]),
  );
  const unknown = (await appliedMigrations(name, url)).filter((migration) => !known.includes(migration));
  if (unknown.length === 0) return;
  throw new Failure(
    `The database of ${name} was migrated by a newer version of the shop (${unknown.join(', ')}). ` +
      `Update the code${embedded ? ', or begin anew with: npm start -- --fresh' : '.'}`,
  );
}

/**
 * @param {string} name
 * @param {string} url
 * @returns {Promise<string[]>}
 */
async function appliedMigrations(name, url) {
  try {
    return await withConnection(url, async (client) => {
      const { rows } = await client.query(
        'SELECT migration_name FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name',
      );
      return rows.map((row) => String(row.migration_name));
    });
  } catch (error) {
    if (errorCode(error) === UNDEFINED_TABLE) return [];
    const reason = error instanceof Error ? error.message || errorCode(error) : String(error);
    throw new Failure(`The database of ${name} cannot be reached: ${reason}`);
  }
}
