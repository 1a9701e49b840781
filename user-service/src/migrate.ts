import { join } from 'node:path';
import { applyMigrations } from '@shop/service-kit/postgres/migrate';
import { commonConfig, loadConfig } from '@shop/service-kit/runtime/config';
import { fail } from '@shop/service-kit/runtime/run-server';
import { z } from 'zod';

const SERVICE = 'user-service';
const prismaFolder = join(import.meta.dirname, '../prisma');

try {
  const { DATABASE_URL } = loadConfig(z.object({ DATABASE_URL: commonConfig.DATABASE_URL }), process.env);
  const applied = await applyMigrations({ connectionString: DATABASE_URL, prismaFolder });
  for (const name of applied) console.log(`${SERVICE}: applied ${name}`);
} catch (error) {
  fail(SERVICE, error);
}
