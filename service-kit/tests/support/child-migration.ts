import { runMigration } from '../../src/runtime/run-migration.ts';

// The migration process of a service, for the folder made by the test.
await runMigration({
  service: 'child',
  env: process.env,
  prismaFolder: process.env['PRISMA_FOLDER'] ?? '',
  appendOnly: [],
});
