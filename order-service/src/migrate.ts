import { join } from 'node:path';
import { runMigration } from '@shop/service-kit/runtime/run-migration';

await runMigration({
  service: 'order-service',
  env: process.env,
  prismaFolder: join(import.meta.dirname, '../prisma'),
  appendOnly: ['order_status_changes'],
});
