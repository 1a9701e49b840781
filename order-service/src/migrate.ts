import { fileURLToPath } from 'node:url';
import { ConfigError } from '@shop/service-kit/runtime/config';
import { fail } from '@shop/service-kit/runtime/run-server';
import { migrateOrderDatabase } from './placement/job-queue.migrate.ts';

try {
  const connectionString = process.env['DATABASE_URL'];
  if (connectionString === undefined || connectionString === '')
    throw new ConfigError('DATABASE_URL is missing');
  const applied = await migrateOrderDatabase(
    connectionString,
    fileURLToPath(new URL('../prisma', import.meta.url)),
  );
  console.log(
    applied.length === 0
      ? 'order-service: nothing to migrate'
      : `order-service: applied ${applied.join(', ')}`,
  );
} catch (error) {
  fail('order-service', error);
}
