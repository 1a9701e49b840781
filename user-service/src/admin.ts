import { unknownAccounts } from '@shop/service-kit/accounts/accounts';
import { AppError } from '@shop/service-kit/errors/app-error';
import { openDatabase } from '@shop/service-kit/postgres/open-database';
import { createCacheTrust } from '@shop/service-kit/redis/cache-trust';
import { commonConfig, loadConfig } from '@shop/service-kit/runtime/config';
import { pino } from 'pino';
import { z } from 'zod';
import { createAccountChanger } from './accounts/account.changer.ts';
import { passwordConfig } from './config.ts';
import { createPasswordHasher } from './credentials/password.hasher.ts';
import { ADMIN_HELP, AdminCommandFailed, runAdminCommand } from './users/admin.command.ts';

const { DATABASE_URL, DATABASE_PREPARED } = commonConfig;
const schema = z.object({ DATABASE_URL, DATABASE_PREPARED, ...passwordConfig });

/** `npm run admin`: on the database of `DATABASE_URL`, with the service's settings for passwords. @returns the exit code */
async function main(args: string[]): Promise<number> {
  if (args[0] === '--help') {
    console.log(ADMIN_HELP);
    return 0;
  }
  const logger = pino({ level: 'silent' });
  const config = loadConfig(schema, process.env);
  const database = openDatabase(config.DATABASE_URL, 1, logger, { prepared: config.DATABASE_PREPARED });
  const hasher = createPasswordHasher({ pepper: config.PASSWORD_PEPPER, cost: config.BCRYPT_COST });
  const { query, transaction } = database;
  const trust = createCacheTrust(query);
  const change = createAccountChanger({
    transaction,
    accounts: unknownAccounts,
    cache: {
      /** Without Redis: replicas neither serve nor store what they know of users for longer than the command takes. */
      async whileChanging(_userIds, work) {
        await trust.distrust();
        return work();
      },
    },
  });
  try {
    console.log(await runAdminCommand(args, { query, change, hasher }));
    return 0;
  } catch (error) {
    const isExpected = error instanceof AdminCommandFailed || error instanceof AppError;
    console.error(
      isExpected ? error.message : `The user database cannot be used; start the shop once: ${error}`,
    );
    return 1;
  } finally {
    await database.close();
  }
}

process.exitCode = await main(process.argv.slice(2));
