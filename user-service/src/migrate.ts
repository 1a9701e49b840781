import { join } from 'node:path';
import { applyMigrations } from '@shop/service-kit/postgres/migrate';
import { runMigration } from '@shop/service-kit/runtime/run-migration';

await runMigration({
  service: 'user-service',
  env: process.env,
  migrate: (connectionString, resolve) =>
    applyMigrations({ connectionString, prismaFolder: join(import.meta.dirname, '../prisma'), resolve }),
});
