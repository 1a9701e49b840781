import { startAccountsReader } from '@shop/service-kit/accounts/accounts.reader';
import { startJobs } from '@shop/service-kit/jobs/start-jobs';
import { openDatabase } from '@shop/service-kit/postgres/open-database';
import { connectRedis } from '@shop/service-kit/redis/connect';
import { runServer } from '@shop/service-kit/runtime/run-server';
import { createChangesRepository } from './accounts/changes.repository.ts';
import { createApp } from './app.ts';
import { createAuditUseCases } from './audit/audit.use-cases.ts';
import { cleanupPeriodic } from './cleanup.jobs.ts';
import { loadUserConfig } from './config.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { MAILS_AT_ONCE, openMailing } from './mail/mail.jobs.ts';
import { createPasswordHasher } from './passwords/password.hasher.ts';
import { createPasswordQueue } from './passwords/password-queue.ts';
import { expectStoredCosts } from './passwords/stored-costs.ts';
import { keepFirstAdmin } from './users/first-admin.ts';
import { rekeyUsers } from './users/rekey.ts';

await runServer({
  service: 'user-service',
  loadConfig: () => loadUserConfig(process.env),
  async start(runtime) {
    const { config, logger, metrics } = runtime;
    const database = openDatabase(config.DATABASE_URL, config.DATABASE_POOL, logger);
    const db = new PrismaClient({ adapter: database.adapter });
    const redis = config.REDIS_URL === undefined ? undefined : connectRedis(config.REDIS_URL, logger);
    const { readChanges } = createChangesRepository(db);
    const { registry } = metrics;
    const staleAfter = config.ACCOUNTS_STALE_AFTER;
    const accounts = await startAccountsReader({ readChanges, logger, registry, staleAfter });
    const hasher = createPasswordHasher({ pepper: config.PASSWORD_PEPPER, cost: config.BCRYPT_COST });
    const queue = createPasswordQueue(config.UV_THREADPOOL_SIZE);
    await expectStoredCosts({ db, hasher, logger });
    const audit = createAuditUseCases({ db, logger });
    if (config.NODE_ENV === 'production' && new URL(config.SHOP_URL).hostname === 'localhost')
      logger.warn({ shop_url: config.SHOP_URL }, 'links in mails lead to localhost: set SHOP_URL');
    await rekeyUsers({ db, logger }).catch((error: unknown) =>
      logger.warn({ err: error }, 'keys of names and addresses are brought up to date at the next start'),
    );
    const { admin } = config;
    const firstAdmin = admin && (await keepFirstAdmin({ db, audit, hasher, logger, admin }));
    const mailing = openMailing({ db, config, logger, metrics });
    const jobs = startJobs({
      config,
      query: database.query,
      logger,
      registry,
      tasks: mailing.tasks,
      periodic: cleanupPeriodic(db, config),
      concurrency: MAILS_AT_ONCE,
    });
    return {
      app: createApp({
        ...runtime,
        db,
        query: database.query,
        redis,
        readChanges,
        accounts,
        hasher,
        queue,
        audit,
      }),
      async close() {
        firstAdmin?.close();
        await Promise.all([jobs.close(), audit.close()]);
        mailing.close();
        accounts.close();
        await db.$disconnect();
        await database.close();
        await redis?.close();
      },
    };
  },
});
