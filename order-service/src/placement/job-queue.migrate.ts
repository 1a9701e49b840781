import { applyMigrations } from '@shop/service-kit/postgres/migrate';
import { runMigrations } from 'graphile-worker';

/** This service's tables and those of its job queue. @returns the names of the migrations that were applied now */
export async function migrateOrderDatabase(
  connectionString: string,
  prismaFolder: string,
  resolve?: string,
): Promise<string[]> {
  const applied = await applyMigrations({ connectionString, prismaFolder, resolve });
  await runMigrations({ connectionString });
  return applied;
}
