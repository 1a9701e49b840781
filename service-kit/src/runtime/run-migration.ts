import { parseArgs } from 'node:util';
import { z } from 'zod';
import { commonConfig, loadConfig } from './config.ts';
import { fail } from './run-server.ts';

interface MigrationOptions {
  service: string;
  env: NodeJS.ProcessEnv;
  /**
   * @param resolve the failed migration that `--resolve` names
   * @returns the names of the migrations that were applied now
   */
  migrate: (databaseUrl: string, resolve: string | undefined) => Promise<string[]>;
}

/** The process of a service's one-shot migration of `DATABASE_URL`: tells what it did, exit 1 when it could not. */
export async function runMigration({ service, env, migrate }: MigrationOptions): Promise<void> {
  try {
    const { DATABASE_URL } = loadConfig(z.object({ DATABASE_URL: commonConfig.DATABASE_URL }), env);
    const { values } = parseArgs({ options: { resolve: { type: 'string' } } });
    const applied = await migrate(DATABASE_URL, values.resolve);
    console.log(
      `${service}: ${applied.length === 0 ? 'nothing to migrate' : `applied ${applied.join(', ')}`}`,
    );
  } catch (error) {
    fail(service, error);
  }
}
