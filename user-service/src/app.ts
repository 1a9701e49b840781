import type { ReadChanges } from '@shop/service-kit/accounts/account-changes';
import type { Accounts } from '@shop/service-kit/accounts/accounts';
import type { Turns } from '@shop/service-kit/deadline/turns';
import { createHttpApp } from '@shop/service-kit/http/create-http-app';
import type { Query } from '@shop/service-kit/postgres/query';
import { createCacheTrust } from '@shop/service-kit/redis/cache-trust';
import type { RedisConnection } from '@shop/service-kit/redis/connect';
import { createUserCache } from '@shop/service-kit/redis/user-cache';
import type { Runtime } from '@shop/service-kit/runtime/run-server';
import { createAccessTokenVerifier } from '@shop/service-kit/tokens/access-token';
import { createServiceTokenVerifier } from '@shop/service-kit/tokens/service-token';
import { changesRoutes } from './accounts/changes.routes.ts';
import { auditRoutes } from './audit/audit.routes.ts';
import type { AuditUseCases } from './audit/audit.use-cases.ts';
import type { UserConfig } from './config.ts';
import type { PrismaClient } from './generated/prisma/client.ts';
import { createMailUseCases } from './mail/mail.use-cases.ts';
import { createAttemptCounter, unlimitedAttempts } from './passwords/attempt.counter.ts';
import { createCredentialUseCases } from './passwords/credential.use-cases.ts';
import type { PasswordHasher } from './passwords/password.hasher.ts';
import { passwordRoutes } from './passwords/password.routes.ts';
import { createPasswordSchemas } from './passwords/password.schemas.ts';
import { createPasswordUseCases } from './passwords/password.use-cases.ts';
import { createResetUseCases } from './passwords/reset.use-cases.ts';
import { jwksRoutes } from './sessions/jwks.routes.ts';
import { sessionRoutes } from './sessions/session.routes.ts';
import { createSessionUseCases } from './sessions/session.use-cases.ts';
import { signingKeysOf } from './sessions/signing.keys.ts';
import { createTokenIssuer } from './sessions/token.issuer.ts';
import { userRoutes } from './users/user.routes.ts';
import { createUserSchemas } from './users/user.schemas.ts';
import { createUserUseCases } from './users/user.use-cases.ts';
import { verificationRoutes } from './users/verification.routes.ts';
import { createVerificationUseCases } from './users/verification.use-cases.ts';

export interface AppOptions extends Runtime<UserConfig> {
  db: PrismaClient;
  query: Query;
  /** Without it limits are kept in this process. */
  redis: RedisConnection | undefined;
  readChanges: ReadChanges;
  /** Kept by reading these changes. */
  accounts: Accounts;
  hasher: PasswordHasher;
  /** Where requests with a password wait. */
  queue: Turns;
  audit: AuditUseCases;
  /** Multiplies what requests may take; 1 in production. */
  patience?: number;
}

/** The HTTP side of user-service, wired from its parts. */
export function createApp(options: AppOptions) {
  const {
    db,
    query,
    redis,
    readChanges,
    accounts,
    hasher,
    queue,
    audit,
    logger,
    metrics,
    config,
    isStopping,
  } = options;
  const keys = signingKeysOf(config);
  const tokens = createTokenIssuer({
    keys,
    accessLifetime: config.ACCESS_TOKEN_LIFETIME,
    refreshLifetime: config.REFRESH_TOKEN_LIFETIME,
  });
  const failures = config.RATE_LIMIT_ENABLED
    ? createAttemptCounter({ ...config.loginFailures, redis, metrics })
    : unlimitedAttempts;
  const requireVerifiedEmail = config.REQUIRE_VERIFIED_EMAIL;
  const rules = config.passwordRules;
  const mails = createMailUseCases(db);
  const cache = createUserCache({ name: 'users', redis, trust: createCacheTrust(query), metrics });
  const sessions = createSessionUseCases({ db, tokens, accounts, requireVerifiedEmail, mails, audit });
  const credentials = createCredentialUseCases({ db, hasher, failures, audit });
  const passwords = createPasswordUseCases({ db, credentials, hasher, rules, sessions, mails, audit, cache });
  const resets = createResetUseCases({ db, credentials, hasher, rules, sessions, mails, audit, cache });
  const users = createUserUseCases({ db, hasher, sessions, mails, audit, cache });
  const verifications = createVerificationUseCases({ db, mails, audit, cache });
  return createHttpApp({
    service: 'user-service',
    description: 'Accounts, sessions and roles.',
    tags: {
      Users: 'Accounts: register, read, change, delete.',
      Sessions: 'Sign in and out, refresh tokens.',
      Passwords: 'Change and reset passwords.',
      Audit: 'Security events, for admins.',
    },
    routes: [
      ...jwksRoutes(keys.published),
      ...sessionRoutes({ sessions, credentials, users, queue }),
      ...passwordRoutes({ passwords, resets, queue, schemas: createPasswordSchemas(rules) }),
      ...userRoutes({ users, queue, schemas: createUserSchemas(rules) }),
      ...verificationRoutes(verifications),
      ...auditRoutes(audit),
      ...changesRoutes(readChanges),
    ],
    patience: options.patience,
    config,
    logger,
    metrics,
    redis,
    accessTokens: createAccessTokenVerifier(keys.accessKeys, accounts.now),
    serviceTokens: createServiceTokenVerifier(config.SERVICE_TOKEN_SECRET, 'user-service'),
    accounts,
    health: {
      required: { database: () => db.$queryRaw`SELECT 1` },
      optional: redis === undefined ? {} : { redis: () => redis.run((client) => client.ping()) },
      isStopping,
    },
  });
}
