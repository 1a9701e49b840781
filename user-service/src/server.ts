import { startAccountsReader } from '@shop/service-kit/accounts/accounts.reader';
import { startJobs } from '@shop/service-kit/jobs/start-jobs';
import { openServiceDatabase } from '@shop/service-kit/postgres/open-database';
import { createCacheTrust } from '@shop/service-kit/redis/cache-trust';
import { openRedis } from '@shop/service-kit/redis/open-redis';
import { createUserCache } from '@shop/service-kit/redis/user-cache';
import { runServer } from '@shop/service-kit/runtime/run-server';
import { createAccountChanger } from './accounts/account.changer.ts';
import { createChangesRepository } from './accounts/changes.repository.ts';
import { createApp } from './app.ts';
import { createAuditTasks } from './audit/audit.jobs.ts';
import { createAuditUseCases } from './audit/audit.use-cases.ts';
import { cleanupPeriodic } from './cleanup.jobs.ts';
import { loadUserConfig } from './config.ts';
import { createPasswordHasher } from './credentials/password.hasher.ts';
import { createPasswordQueue } from './credentials/password-queue.ts';
import { expectStoredCosts } from './credentials/stored-costs.ts';
import { MAILS_AT_ONCE, openMailing } from './mail/mail.jobs.ts';
import { keepFirstAdmin } from './users/first-admin.ts';
import { rekeyUsers } from './users/rekey.ts';

await runServer({
  service: 'user-service',
  loadConfig: () => loadUserConfig(process.env),
  async start(runtime) {
    const { config, logger, metrics } = runtime;
    const database = openServiceDatabase(runtime);
    const { query, unprepared, transaction } = database;
    const redis = await openRedis(config.REDIS_URL, logger);
    const { readChanges } = createChangesRepository(query);
    const accounts = await startAccountsReader({ readChanges, config, logger, metrics });
    const hasher = createPasswordHasher({ pepper: config.PASSWORD_PEPPER, cost: config.BCRYPT_COST });
    const queue = createPasswordQueue(config.UV_THREADPOOL_SIZE);
    await expectStoredCosts({ query, hasher, logger });
    const audit = createAuditUseCases({ unprepared, logger });
    const cache = createUserCache({ name: 'users', redis, trust: createCacheTrust(query), metrics });
    const change = createAccountChanger({ transaction, cache, accounts });
    if (config.NODE_ENV === 'production' && new URL(config.SHOP_URL).hostname === 'localhost')
      logger.warn({ shop_url: config.SHOP_URL }, 'links in emails lead to localhost: set SHOP_URL');
    await rekeyUsers({ query, logger }).catch((error: unknown) =>
      logger.warn({ err: error }, 'keys of names and addresses will be updated at the next start'),
    );
    const { admin } = config;
    const firstAdmin = admin && (await keepFirstAdmin({ query, change, hasher, logger, admin }));
    const mailing = openMailing({ query, config, logger, metrics });
    const jobs = startJobs({
      ...runtime,
      query,
      tasks: { ...mailing.tasks, ...createAuditTasks(query) },
      periodic: cleanupPeriodic(query, config),
      concurrency: MAILS_AT_ONCE,
    });
    return {
      app: createApp({
        ...runtime,
        query,
        unprepared,
        change,
        cache,
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
        await database.close();
        await redis?.close();
      },
    };
  },
});
