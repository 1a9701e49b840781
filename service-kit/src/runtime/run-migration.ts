import { parseArgs } from 'node:util';
import { z } from 'zod';
import { migrateDatabase } from '../postgres/migrate-database.ts';
import { commonConfig, directUrlOf, loadConfig } from './config.ts';
import { fail } from './run-server.ts';

interface MigrationOptions {
  service: string;
  env: NodeJS.ProcessEnv;
  /** The service's `prisma` folder. */
  prismaFolder: string;
  /** Tables to which the service may only add rows, where it has a role of its own. */
  appendOnly: string[];
}

const { DATABASE_URL, DATABASE_DIRECT_URL, DATABASE_PREPARED } = commonConfig;
const schema = z.object({
  DATABASE_URL,
  DATABASE_DIRECT_URL,
  DATABASE_PREPARED,
  /** See docs/operations.md. */
  DATABASE_SERVICE_ROLE: z.string().optional(),
});

/** The one-shot migration process of a service for its database: reports what it did; exit 1 on failure. */
export async function runMigration(options: MigrationOptions): Promise<void> {
  const { service, env, prismaFolder, appendOnly } = options;
  try {
    const config = loadConfig(schema, env);
    const connectionString = directUrlOf(config);
    const { DATABASE_SERVICE_ROLE: role } = config;
    const serviceRole = role === undefined ? undefined : { role, appendOnly };
    const { values } = parseArgs({ options: { resolve: { type: 'string' } } });
    const { resolve } = values;
    const onWait = () => console.log(`${service}: another process migrates the database; waiting for it`);
    const applied = await migrateDatabase({ connectionString, prismaFolder, resolve, serviceRole, onWait });
    console.log(
      `${service}: ${applied.length === 0 ? 'nothing to migrate' : `applied ${applied.join(', ')}`}`,
    );
  } catch (error) {
    fail(service, error);
  }
}
