import type { ReadChanges } from '@shop/service-kit/accounts/account-changes';
import type { Accounts } from '@shop/service-kit/accounts/accounts';
import type { Turns } from '@shop/service-kit/deadline/turns';
import { createHttpApp } from '@shop/service-kit/http/create-http-app';
import type { Query } from '@shop/service-kit/postgres/query';
import type { RedisConnection } from '@shop/service-kit/redis/connect';
import type { UserCache } from '@shop/service-kit/redis/user-cache';
import type { Runtime } from '@shop/service-kit/runtime/run-server';
import type { ChangeAccounts } from './accounts/account.changer.ts';
import { changesRoutes } from './accounts/changes.routes.ts';
import { auditRoutes } from './audit/audit.routes.ts';
import type { AuditUseCases } from './audit/audit.use-cases.ts';
import type { UserConfig } from './config.ts';
import { createAttemptCounter, unlimitedAttempts } from './credentials/attempt.counter.ts';
import { createCredentialUseCases } from './credentials/credential.use-cases.ts';
import type { PasswordHasher } from './credentials/password.hasher.ts';
import { loginRoutes } from './passwords/login.routes.ts';
import { createLogin } from './passwords/login.use-case.ts';
import { passwordRoutes } from './passwords/password.routes.ts';
import { createPasswordSchemas } from './passwords/password.schemas.ts';
import { createPasswordUseCases } from './passwords/password.use-cases.ts';
import { createResetUseCases } from './passwords/reset.use-cases.ts';
import { sessionRoutes } from './sessions/session.routes.ts';
import { createSessionUseCases } from './sessions/session.use-cases.ts';
import { jwksRoutes } from './tokens/jwks.routes.ts';
import { signingKeysOf } from './tokens/signing.keys.ts';
import { createTokenIssuer } from './tokens/token.issuer.ts';
import { createRegistration } from './users/registration.use-case.ts';
import { userRoutes } from './users/user.routes.ts';
import { createUserSchemas } from './users/user.schemas.ts';
import { createUserUseCases } from './users/user.use-cases.ts';
import { verificationRoutes } from './users/verification.routes.ts';
import { createVerificationUseCases } from './users/verification.use-cases.ts';

export interface AppOptions extends Runtime<UserConfig> {
  query: Query;
  /** Plans each statement for its values. */
  unprepared: Query;
  change: ChangeAccounts;
  /** Of what users see of themselves. */
  cache: UserCache;
  /** Without it limits are kept in this process. */
  redis: RedisConnection | undefined;
  readChanges: ReadChanges;
  /** Kept up to date with these changes. */
  accounts: Accounts;
  hasher: PasswordHasher;
  /** Where requests with a password wait. */
  queue: Turns;
  audit: AuditUseCases;
}

/** The HTTP side of user-service, wired from its parts. */
export function createApp(options: AppOptions) {
  const { query, unprepared, change, cache, readChanges, hasher, queue, audit, ...http } = options;
  const { config, metrics, redis } = http;
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
  const sessions = createSessionUseCases({ query, change, tokens, requireVerifiedEmail });
  const credentials = createCredentialUseCases({ query, hasher, failures, audit });
  const logIn = createLogin({ change, credentials, sessions });
  const passwords = createPasswordUseCases({ change, credentials, hasher, rules, sessions });
  const resets = createResetUseCases({ query, change, credentials, hasher, rules, sessions });
  const register = createRegistration({ query, change, hasher, sessions });
  const users = createUserUseCases({ query, unprepared, change, sessions, cache });
  const verifications = createVerificationUseCases({ query, change });
  return createHttpApp({
    ...http,
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
      ...loginRoutes({ logIn, queue }),
      ...sessionRoutes(sessions),
      ...passwordRoutes({ passwords, resets, queue, schemas: createPasswordSchemas(rules) }),
      ...userRoutes({ users, register, queue, schemas: createUserSchemas(rules) }),
      ...verificationRoutes(verifications),
      ...auditRoutes(audit),
      ...changesRoutes(readChanges),
    ],
    accessKeys: keys.accessKeys,
    checks: { required: { database: () => query`SELECT 1` } },
  });
}
