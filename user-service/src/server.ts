import { openDatabase } from '@shop/service-kit/postgres/open-database';
import { connectRedis } from '@shop/service-kit/redis/connect';
import { createRevocations } from '@shop/service-kit/redis/revocations';
import { runServer } from '@shop/service-kit/runtime/run-server';
import { createApp } from './app.ts';
import { createAuditUseCases } from './audit/audit.use-cases.ts';
import { loadUserConfig, MAX_ACCESS_TOKEN_LIFETIME } from './config.ts';
import { PrismaClient } from './generated/prisma/client.ts';
import { createMailUseCases } from './mail/mail.use-cases.ts';
import { startMailing } from './mail/mail.worker.ts';
import { createPasswordHasher } from './passwords/password.hasher.ts';
import { createPasswordQueue, passwordsAtOnce } from './passwords/password-queue.ts';
import { expectStoredCosts } from './passwords/stored-costs.ts';
import { startSessionUpkeep } from './sessions/session.upkeep.ts';
import { keepFirstAdmin } from './users/first-admin.ts';

await runServer({
  service: 'user-service',
  loadConfig: () => loadUserConfig(process.env),
  async start(runtime) {
    const { config, logger, metrics } = runtime;
    const database = openDatabase(config.DATABASE_URL, config.DATABASE_POOL, logger);
    const db = new PrismaClient({ adapter: database.adapter });
    const redis = config.REDIS_URL === undefined ? undefined : connectRedis(config.REDIS_URL, logger);
    const revocations = createRevocations({ redis, logger, tokenLifetime: MAX_ACCESS_TOKEN_LIFETIME });
    const hasher = createPasswordHasher({ pepper: config.PASSWORD_PEPPER, cost: config.BCRYPT_COST });
    const queue = createPasswordQueue({ atOnce: passwordsAtOnce(config.UV_THREADPOOL_SIZE) });
    await expectStoredCosts({ db, hasher, logger });
    const audit = createAuditUseCases({ db, logger });
    if (config.NODE_ENV === 'production' && new URL(config.SHOP_URL).hostname === 'localhost')
      logger.warn({ shop_url: config.SHOP_URL }, 'links in mails lead to localhost: set SHOP_URL');
    const mailing = startMailing({ db, config, logger, metrics });
    const mails = createMailUseCases({ db, nudge: mailing.nudge });
    const sweeps = [() => audit.removeOld(config.AUDIT_RETENTION_DAYS), mails.removeOld];
    const upkeep = await startSessionUpkeep({ db, redis, revocations, logger, sweeps });
    const { admin } = config;
    const firstAdmin = admin && (await keepFirstAdmin({ db, audit, hasher, logger, admin }));
    return {
      app: createApp({ ...runtime, db, redis, revocations, hasher, queue, mails, audit }),
      async close() {
        firstAdmin?.close();
        upkeep.close();
        await Promise.all([mailing.close(), audit.close()]);
        revocations.close();
        await db.$disconnect();
        await database.close();
        await redis?.close();
      },
    };
  },
});
