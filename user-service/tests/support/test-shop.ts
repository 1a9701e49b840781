import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import type { Accounts } from '@shop/service-kit/accounts/accounts';
import { startAccountsReader } from '@shop/service-kit/accounts/accounts.reader';
import { createTurns } from '@shop/service-kit/deadline/turns';
import { startJobs } from '@shop/service-kit/jobs/start-jobs';
import { openServiceDatabase } from '@shop/service-kit/postgres/open-database';
import type { Query, Transaction } from '@shop/service-kit/postgres/query';
import { createCacheTrust } from '@shop/service-kit/redis/cache-trust';
import type { RedisConnection } from '@shop/service-kit/redis/connect';
import { createUserCache } from '@shop/service-kit/redis/user-cache';
import { createMetrics, type Metrics } from '@shop/service-kit/runtime/metrics';
import { documented } from '@shop/service-kit/testing/documented';
import { createTestDatabase, TEST_TIME_LIMIT_FACTOR } from '@shop/service-kit/testing/test-database';
import { connectTestRedis } from '@shop/service-kit/testing/test-redis';
import { TEST_JWT_SECRET, TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import type { Express } from 'express';
import { type Logger, pino } from 'pino';
import { type ChangeAccounts, createAccountChanger } from '../../src/accounts/account.changer.ts';
import { createChangesRepository } from '../../src/accounts/changes.repository.ts';
import { createApp } from '../../src/app.ts';
import { type AuditUseCases, createAuditUseCases } from '../../src/audit/audit.use-cases.ts';
import { cleanupPeriodic } from '../../src/cleanup.jobs.ts';
import { loadUserConfig } from '../../src/config.ts';
import { createPasswordHasher } from '../../src/credentials/password.hasher.ts';
import { PrismaClient } from '../../src/generated/prisma/client.ts';
import { MAILS_AT_ONCE, openMailing } from '../../src/mail/mail.jobs.ts';

export interface Replica {
  app: Express;
  /** For direct reads and writes of a test. */
  db: PrismaClient;
  query: Query;
  change: ChangeAccounts;
  accounts: Accounts;
  metrics: Metrics;
  audit: AuditUseCases;
  /** Runs each periodic task once. */
  cleanUp(): Promise<void>;
}

export interface TestShop extends Replica {
  databaseUrl: string;
  redis: RedisConnection;
  /** Starts one more process of the service, with the same database and its own connections. */
  startReplica(options?: ReplicaOptions): Promise<Replica>;
  close(): Promise<void>;
}

interface ReplicaOptions {
  /** Variables in addition to those that every test needs. */
  env?: Record<string, string>;
  /** False: no REDIS_URL, so limits are kept in the process. */
  redis?: boolean;
  isStopping?: () => boolean;
  /** Makes reading the account changes fail after the first time. */
  isFeedDown?: () => boolean;
  /** Called with the text of every statement of the service. */
  onStatement?: (text: string) => void;
  /** The queue of password requests. By default they wait as long as a slow machine needs. */
  queue?: Partial<Parameters<typeof createTurns>[0]>;
  /** Runs jobs, which send mails through the environment's `SMTP_URL`. By default mails are only queued. */
  jobs?: boolean;
  /** Receives the log of requests. By default there is none. */
  logger?: Logger;
}

export const logger = pino({ level: 'silent' });
/** Prisma's defaults, for a busy machine. */
const PATIENT = { maxWait: 2000 * TEST_TIME_LIMIT_FACTOR, timeout: 5000 * TEST_TIME_LIMIT_FACTOR };
const prismaFolder = join(import.meta.dirname, '../../prisma');

/** The whole service on a database of this test file, without rate limits unless the environment sets them. */
export async function startTestShop(options: ReplicaOptions = {}): Promise<TestShop> {
  const [database, redis] = await Promise.all([
    createTestDatabase({ name: 'user', prismaFolder }),
    connectTestRedis(),
  ]);
  const closing: (() => Promise<void> | void)[] = [() => redis.close()];

  const start = async (
    connection: RedisConnection,
    { env, isStopping, ...rest }: ReplicaOptions,
  ): Promise<Replica> => {
    const config = loadUserConfig({
      DATABASE_URL: database.url,
      JWT_SECRET_KEY: TEST_JWT_SECRET,
      SERVICE_TOKEN_SECRET: TEST_SERVICE_SECRET,
      RATE_LIMIT_ENABLED: 'false',
      BCRYPT_COST: '4',
      TIME_LIMIT_FACTOR: String(TEST_TIME_LIMIT_FACTOR),
      ...env,
    });
    const metrics = createMetrics('user-service');
    const opened = openServiceDatabase({ config, logger, metrics });
    const db = new PrismaClient({ adapter: new PrismaPg(opened.pool), transactionOptions: PATIENT });
    const watched = (run: Query): Query => {
      const { onStatement } = rest;
      if (onStatement === undefined) return run;
      return (strings, ...values) => {
        onStatement(strings.join('?'));
        return run(strings, ...values);
      };
    };
    const [query, unprepared] = [opened.query, opened.unprepared].map(watched) as [Query, Query];
    const transaction: Transaction = (work) =>
      opened.transaction(async (run) => {
        const result = await work(watched(run));
        rest.onStatement?.('COMMIT');
        return result;
      });
    const used = rest.redis === false ? undefined : connection;
    const changes = createChangesRepository(query);
    const readChanges: typeof changes.readChanges = async (after) => {
      if (after !== undefined && rest.isFeedDown?.()) throw new Error('The feed is down');
      return changes.readChanges(after);
    };
    const accounts = await startAccountsReader({ readChanges, config, logger, metrics });
    const audit = createAuditUseCases({ unprepared, logger });
    const cache = createUserCache({ name: 'users', redis: used, trust: createCacheTrust(query), metrics });
    const change = createAccountChanger({ transaction, cache, accounts });
    const mailing = openMailing({ query, config, logger, metrics });
    const periodic = cleanupPeriodic(query, config);
    const common = { config, query, logger, metrics };
    const jobs = rest.jobs
      ? startJobs({ ...common, tasks: mailing.tasks, concurrency: MAILS_AT_ONCE })
      : undefined;
    closing.push(async () => {
      accounts.close();
      await Promise.all([jobs?.close(), audit.close()]);
      mailing.close();
      await db.$disconnect();
      await opened.close();
    });
    const cleanUp = async () => {
      const { signal } = new AbortController();
      for (const { run } of Object.values(periodic)) await run(signal);
    };
    const app = documented(
      createApp({
        query,
        unprepared,
        change,
        cache,
        redis: used,
        readChanges,
        accounts,
        hasher: createPasswordHasher({ pepper: config.PASSWORD_PEPPER, cost: config.BCRYPT_COST }),
        queue: createTurns({ concurrency: 3, maxWaiting: 500, maxWait: 600_000, ...rest.queue }),
        audit,
        logger: rest.logger ?? logger,
        metrics,
        config,
        isStopping: isStopping ?? (() => false),
      }),
    );
    return { app, db, query, change, accounts, metrics, audit, cleanUp };
  };

  return {
    ...(await start(redis, options)),
    databaseUrl: database.url,
    redis,
    async startReplica(replicaOptions = {}) {
      const own = await connectTestRedis();
      closing.push(() => own.close());
      return start({ ...own, prefix: redis.prefix }, replicaOptions);
    },
    async close() {
      await Promise.all(closing.map((close) => close()));
      await database.drop();
    },
  };
}
