import { runMigration } from '../../src/runtime/run-migration.ts';

// The migration process of a service, of the folder that the test made.
await runMigration({
  service: 'child',
  env: process.env,
  prismaFolder: process.env['PRISMA_FOLDER'] ?? '',
});
