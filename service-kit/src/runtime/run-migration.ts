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
}

const { DATABASE_URL, DATABASE_DIRECT_URL, DATABASE_PREPARED } = commonConfig;
const schema = z.object({ DATABASE_URL, DATABASE_DIRECT_URL, DATABASE_PREPARED });

/** The one-shot migration process of a service for its database: reports what it did; exit 1 on failure. */
export async function runMigration({ service, env, prismaFolder }: MigrationOptions): Promise<void> {
  try {
    const connectionString = directUrlOf(loadConfig(schema, env));
    const { values } = parseArgs({ options: { resolve: { type: 'string' } } });
    const { resolve } = values;
    const applied = await migrateDatabase({ connectionString, prismaFolder, resolve });
    console.log(
      `${service}: ${applied.length === 0 ? 'nothing to migrate' : `applied ${applied.join(', ')}`}`,
    );
  } catch (error) {
    fail(service, error);
  }
}
