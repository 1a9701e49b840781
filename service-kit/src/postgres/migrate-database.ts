import { migrateJobQueue } from '../jobs/migrate-job-queue.ts';
import { applyMigrations, type MigrateOptions } from './migrate.ts';

/** A service's own tables and those of its job queue. @returns the names of the migrations that were applied now */
export async function migrateDatabase(options: MigrateOptions): Promise<string[]> {
  const applied = await applyMigrations(options);
  await migrateJobQueue(options.connectionString);
  return applied;
}
