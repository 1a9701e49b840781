import { migrateJobQueue } from '../jobs/migrate-job-queue.ts';
import { applyMigrations, type MigrateOptions } from './migrate.ts';
import { grantToService, type ServiceRole } from './service-role.ts';

interface DatabaseOptions extends MigrateOptions {
  /** The role that the service connects as, if it is not the one that migrates. */
  serviceRole?: ServiceRole | undefined;
}

/** A service's own tables and those of its job queue. @returns the names of the migrations that were applied now */
export async function migrateDatabase({ serviceRole, ...options }: DatabaseOptions): Promise<string[]> {
  const applied = await applyMigrations(options);
  await migrateJobQueue(options.connectionString);
  if (serviceRole !== undefined) await grantToService(options.connectionString, serviceRole);
  return applied;
}
