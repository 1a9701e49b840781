import { AppError } from '@shop/service-kit/errors/app-error';
import { openDatabase } from '@shop/service-kit/postgres/open-database';
import { createCacheTrust } from '@shop/service-kit/redis/cache-trust';
import { commonConfig, loadConfig } from '@shop/service-kit/runtime/config';
import { pino } from 'pino';
import { z } from 'zod';
import { createAuditUseCases } from './audit/audit.use-cases.ts';
import { passwordConfig } from './config.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { createPasswordHasher } from './passwords/password.hasher.ts';
import { ADMIN_HELP, AdminCommandFailed, runAdminCommand } from './users/admin.command.ts';

const schema = z.object({ DATABASE_URL: commonConfig.DATABASE_URL, ...passwordConfig });

/** `npm run admin`: on the database of `DATABASE_URL`, with the service's settings for passwords. @returns the exit code */
async function main(args: string[]): Promise<number> {
  if (args[0] === '--help') {
    console.log(ADMIN_HELP);
    return 0;
  }
  const logger = pino({ level: 'silent' });
  const config = loadConfig(schema, process.env);
  const database = openDatabase(config.DATABASE_URL, 1, logger);
  const db = new PrismaClient({ adapter: database.adapter });
  const audit = createAuditUseCases({ db, logger });
  const hasher = createPasswordHasher({ pepper: config.PASSWORD_PEPPER, cost: config.BCRYPT_COST });
  const { distrust: distrustCache } = createCacheTrust(database.query);
  try {
    console.log(await runAdminCommand(args, { db, audit, hasher, distrustCache }));
    return 0;
  } catch (error) {
    const isExpected = error instanceof AdminCommandFailed || error instanceof AppError;
    console.error(
      isExpected ? error.message : `The user database cannot be used, start the shop once: ${error}`,
    );
    return 1;
  } finally {
    await db.$disconnect();
    await database.close();
  }
}

process.exitCode = await main(process.argv.slice(2));
