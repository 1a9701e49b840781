import {
  accountsConfig,
  commonConfig,
  flag,
  loadConfig,
  wholeNumber,
  withSecrets,
} from '@shop/service-kit/runtime/config';
import { limitsConfig } from '@shop/service-kit/runtime/limits.config';
import { MAX_ACCESS_TOKEN_LIFETIME } from '@shop/service-kit/tokens/access-token';
import { z } from 'zod';
import { createPasswordRules, type PasswordRules } from './credentials/password.rules.ts';
import { readPrivateKey, readPublicKeys } from './tokens/signing.keys.ts';
import { createUserSchemas, type Registration } from './users/user.schemas.ts';

const THIRTY_DAYS = 30 * 86_400;
const YEAR = 365 * 86_400;

/** Limits that guard passwords go on counting while Redis is unavailable; the others let every request pass. */
const limits = limitsConfig({
  register: { max: 5, seconds: 60, withoutRedis: 'count', perAddress: true },
  login: { max: 10, seconds: 60, withoutRedis: 'count', perAddress: true },
  refresh: { max: 30, seconds: 60, withoutRedis: 'count', perAddress: true },
  password_reset: { max: 5, seconds: 60, withoutRedis: 'count', perAddress: true },
  user_writes: { max: 30, seconds: 60, withoutRedis: 'pass' },
  user_reads: { max: 300, seconds: 60, withoutRedis: 'pass' },
});
/** Wrong passwords of one account, and those from one address over all accounts. */
const failures = limitsConfig(
  {
    login_failures: { max: 10, seconds: 900, withoutRedis: 'count' },
    login_failures_address: { max: 50, seconds: 900, withoutRedis: 'count' },
  },
  {
    login_failures: 'Wrong passwords/seconds, per account',
    login_failures_address: 'Wrong passwords/seconds, per address',
  },
);

const pem = <Key>(error: string, read: (text: string) => Key) =>
  z.string().transform((text, context): Key => {
    try {
      return read(text);
    } catch {
      context.addIssue({ code: 'custom', message: error });
      return z.NEVER;
    }
  });

/** How passwords are hashed. */
export const passwordConfig = {
  PASSWORD_PEPPER: z
    .string()
    .min(1)
    .default('shop/user-service/password')
    .describe(
      "Makes this shop's hashes differ from those of other shops. Changing it makes all passwords wrong",
    ),
  BCRYPT_COST: wholeNumber(4, 20, 10).describe("10 is the minimum of OWASP's Password Storage Cheat Sheet"),
};

export const userConfigSchema = z
  .object({
    ...commonConfig,
    ...accountsConfig,
    JWT_SECRET_KEY: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Signs all tokens (HS256). With a private key it only refreshes sessions that began before the switch',
      ),
    JWT_PRIVATE_KEY: pem('must be an EC P-256 private key in PEM', readPrivateKey)
      .optional()
      .describe('Signs all tokens (ES256): an EC P-256 key in PEM'),
    JWT_VERIFICATION_KEYS: pem('must be EC P-256 public keys in PEM', readPublicKeys)
      .default([])
      .describe(
        'Further public keys in PEM that are published and accepted: of the next or the previous signing key',
      ),
    PORT: wholeNumber(0, 65_535, 5001).describe('Port to listen on'),
    ACCESS_TOKEN_LIFETIME: wholeNumber(1, MAX_ACCESS_TOKEN_LIFETIME, MAX_ACCESS_TOKEN_LIFETIME).describe(
      'Seconds',
    ),
    REFRESH_TOKEN_LIFETIME: wholeNumber(1, YEAR, THIRTY_DAYS).describe('Seconds'),
    PASSWORD_MIN_LENGTH: wholeNumber(1, 128, 8).describe('Characters'),
    PASSWORD_REFUSE_COMMON: flag(false).describe('Refuses well-known passwords'),
    REQUIRE_VERIFIED_EMAIL: flag(false).describe('Refuses to log in before the email address is verified'),
    SMTP_URL: z
      .string()
      .regex(/^smtps?:\/\/./, 'must be an smtp:// address')
      .optional()
      .describe(
        'Mail server, `smtps://user:password@host:465`. Required in production; without it emails are written to the log',
      ),
    MAIL_FROM: z
      .string()
      .regex(/^[^\r\n]+@[^\r\n]+$/, 'must be an address, such as Shop <no-reply@example.com>')
      .optional()
      .describe('Sender of emails; `no-reply@` the host of `SHOP_URL` if not set'),
    SHOP_URL: z
      .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
      .default('http://localhost:3000')
      .transform((url) => url.replace(/\/+$/, ''))
      .describe('The storefront, whose pages `/verify-email` and `/reset-password` emails link to'),
    AUDIT_RETENTION_DAYS: wholeNumber(7, 36_500, 365).describe('Days that security events are kept'),
    ...passwordConfig,
    UV_THREADPOOL_SIZE: wholeNumber(1, 1024, 4).describe(
      'Threads of libuv; bounds how many passwords are hashed at once. `npm start` and the images set it to the number of cores + 4',
    ),
    ADMIN_USERNAME: z
      .string()
      .optional()
      .describe('The first admin, created at start while there is no admin (all three `ADMIN_…`, or none)'),
    ADMIN_EMAIL: z.string().optional().describe('Email address of the first admin'),
    ADMIN_PASSWORD: z.string().optional().describe('Password of the first admin'),
  })
  .extend(limits.shape)
  .extend(failures.shape)
  .refine((env) => env.JWT_SECRET_KEY !== undefined || env.JWT_PRIVATE_KEY !== undefined, {
    error: 'JWT_SECRET_KEY or JWT_PRIVATE_KEY must be set',
    // Also when something else is wrong: all that is wrong is reported at once.
    when: () => true,
  })
  .transform((env, context) => {
    const passwordRules = createPasswordRules(env.PASSWORD_MIN_LENGTH, env.PASSWORD_REFUSE_COMMON);
    const mailFrom = env.MAIL_FROM ?? `Shop <no-reply@${new URL(env.SHOP_URL).hostname}>`;
    return { ...env, passwordRules, mailFrom, admin: adminOf(env, passwordRules, context) };
  });

interface AdminEnvironment {
  ADMIN_USERNAME?: string | undefined;
  ADMIN_EMAIL?: string | undefined;
  ADMIN_PASSWORD?: string | undefined;
}

/** The first admin must fulfil the rules of registration. All three variables, or none. */
function adminOf(
  env: AdminEnvironment,
  rules: PasswordRules,
  context: z.RefinementCtx,
): Registration | undefined {
  const { ADMIN_USERNAME: username, ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = env;
  if (username === undefined && email === undefined && password === undefined) return undefined;
  const { registration } = createUserSchemas(rules);
  const result = registration.safeParse({ username, email, password });
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues) {
    context.addIssue({ code: 'custom', path: [`ADMIN_${String(path[0]).toUpperCase()}`], message });
  }
  return z.NEVER;
}

/** @throws ConfigError naming every variable that is missing or wrong */
export function loadUserConfig(env: NodeJS.ProcessEnv) {
  const config = withSecrets(loadConfig(userConfigSchema, env), ['SMTP_URL']);
  const failed = failures.read(config);
  return {
    ...config,
    limits: limits.read(config),
    loginFailures: { account: failed.login_failures, address: failed.login_failures_address },
  };
}

export type UserConfig = ReturnType<typeof loadUserConfig>;
