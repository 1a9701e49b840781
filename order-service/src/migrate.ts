import { join } from 'node:path';
import { runMigration } from '@shop/service-kit/runtime/run-migration';
import { migrateOrderDatabase } from './placement/job-queue.migrate.ts';

await runMigration({
  service: 'order-service',
  env: process.env,
  migrate: (databaseUrl, resolve) =>
    migrateOrderDatabase(databaseUrl, join(import.meta.dirname, '../prisma'), resolve),
});
