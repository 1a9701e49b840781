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
  const unknown = await unknownMigrations(name, url, known);
  if (unknown.length === 0) return;
  throw new Failure(
    `The database of ${name} was migrated by a newer version of the shop (${unknown.join(', ')}). ` +
      `Update the code${embedded ? ', or begin anew with: npm start -- --fresh' : '.'}`,
  );
}

/**
 * Those of newer code that are not marked compatible with a migration of this code (`compatible with <migration>`).
 * @param {string} name
 * @param {string} url
 * @param {string[]} known
 * @returns {Promise<string[]>}
 */
async function unknownMigrations(name, url, known) {
  try {
    return await withConnection(url, async (client) => {
      const { rows } = await client.query(
        `SELECT migration_name FROM _prisma_migrations
          WHERE rolled_back_at IS NULL AND migration_name <> ALL ($1)
            AND coalesce(substring(logs FROM '^compatible with (\\S+)$'), '') <> ALL ($1)
          ORDER BY migration_name`,
        [known],
      );
      return rows.map((row) => String(row.migration_name));
    });
  } catch (error) {
    if (errorCode(error) === UNDEFINED_TABLE) return [];
    const reason = error instanceof Error ? error.message || errorCode(error) : String(error);
    throw new Failure(`The database of ${name} cannot be reached: ${reason}`);
  }
}
