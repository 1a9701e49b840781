import { createHash, hkdfSync } from 'node:crypto';
import { z } from 'zod';
import type { Limit } from '../http/rate-limit.ts';

/** The environment does not fit; `message` has one line per variable. */
export class ConfigError extends Error {}

/** Secrets that stand in documentation and must not be in force anywhere else, neither as they are nor hashed. */
const PUBLISHED_SECRETS = ['your-secret-key-change-in-production', 'change-me', 'secret', 'dev-secret'];
const MIN_SECRET_LENGTH = 32;

export const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .default(fallback ? 'true' : 'false')
    .transform((value) => value === 'true');
export const wholeNumber = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .default(String(fallback))
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error: `must be from ${min} to ${max}` });

/** Fields of the environment that all services have. */
export const commonConfig = {
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  PORT: wholeNumber(0, 65_535, 0),
  /** The address to listen on; every one, IPv6 included, when it is not set. */
  HOST: z.string().optional(),
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// address'),
  DATABASE_POOL: wholeNumber(1, 200, 10),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'must be a redis:// address')
    .optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  CURRENCY: z
    .string()
    .default('USD')
    .refine((code) => Intl.supportedValuesOf('currency').includes(code), {
      error: 'must be an ISO 4217 code',
    }),
  CORS_ORIGINS: z.string().default('*'),
  /** How many proxies stand in front; their entries of X-Forwarded-For are believed. */
  TRUST_PROXY: wholeNumber(0, 10, 0),
  RATE_LIMIT_ENABLED: flag(true),
  /** Milliseconds that running requests get to finish after a stop signal. */
  DRAIN_TIMEOUT: wholeNumber(0, 600_000, 8000),
  /** Seconds until a job that failed is tried again at the latest, however often it failed. */
  JOB_MAX_BACKOFF: wholeNumber(1, 3600, 120),
  /** Seconds after which a job that is not done belongs to a killed worker: far longer than a job runs. */
  JOB_ABANDONED_AFTER: wholeNumber(1, 3600, 60),
};

/** Fields of a service that reads access tokens and makes none; `requireOneKey` checks that it has one of them. */
export const tokenReaderConfig = {
  /** Signs and verifies (HS256), the same for all services. */
  JWT_SECRET_KEY: z.string().min(1).optional(),
  /** Where the public keys are that verify and cannot sign (ES256). */
  JWKS_URL: z.url({ protocol: /^https?$/, error: 'must be an http:// address' }).optional(),
};

/** The same schema; an environment with both keys, or none, is refused. */
export function requireOneKey<Schema extends z.ZodType<{ JWT_SECRET_KEY?: unknown; JWKS_URL?: unknown }>>(
  schema: Schema,
): Schema {
  return schema.refine((env) => (env.JWT_SECRET_KEY === undefined) !== (env.JWKS_URL === undefined), {
    error: 'JWT_SECRET_KEY or JWKS_URL must be set, and not both',
    // Also when something else is wrong: all that is wrong is told at once.
    when: () => true,
  });
}

/** Fields of all services: what they must know about accounts they read from user-service, or its database. */
export const accountsConfig = {
  /** Signs the calls between services, the same for all. */
  SERVICE_TOKEN_SECRET: z.string().min(1).optional(),
  /** Seconds without a read after which a service counts as degraded. */
  ACCOUNTS_STALE_AFTER: wholeNumber(1, 3600, 60),
};

/** Without it, tokens of ended sessions are accepted until they expire. */
export const userServiceUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// address' }).optional();

/** Where `SERVICE_TOKEN_SECRET` is not set, all services of a development setup derive it from `JWT_SECRET_KEY`. */
export function serviceTokenSecretOf({
  SERVICE_TOKEN_SECRET,
  JWT_SECRET_KEY,
}: {
  SERVICE_TOKEN_SECRET?: string | undefined;
  JWT_SECRET_KEY?: string | undefined;
}): string {
  if (SERVICE_TOKEN_SECRET !== undefined) return SERVICE_TOKEN_SECRET;
  if (JWT_SECRET_KEY === undefined) throw new ConfigError('SERVICE_TOKEN_SECRET is missing');
  const derived = hkdfSync('sha256', JWT_SECRET_KEY, '', 'shop/service-token-secret', MIN_SECRET_LENGTH);
  return Buffer.from(derived).toString('hex');
}

/** @throws ConfigError in production, naming those that are not set */
export function requireInProduction<Config extends { NODE_ENV: string }>(
  config: Config,
  names: readonly (keyof Config & string)[],
): void {
  if (config.NODE_ENV !== 'production') return;
  const missing = names.filter((name) => config[name] === undefined);
  if (missing.length > 0) throw new ConfigError(missing.map((name) => `${name} is missing`).join('\n'));
}

/**
 * `RATE_LIMIT_<NAME>=<count>/<seconds>` for each of a service's limits.
 * @param defaults by name in snake_case
 */
export function limitsConfig<Name extends string>(defaults: Record<Name, Limit>) {
  const entries = Object.entries(defaults) as [Name, Limit][];
  const field = ({ max, seconds }: Limit) =>
    z
      .string()
      .regex(/^[1-9]\d{0,8}\/[1-9]\d{0,5}$/, 'must be <count>/<seconds>, such as 5/60')
      .default(`${max}/${seconds}`);
  const shape = Object.fromEntries(
    entries.map(([name, limit]) => [`RATE_LIMIT_${name.toUpperCase()}`, field(limit)]),
  ) as Record<`RATE_LIMIT_${Uppercase<Name>}`, ReturnType<typeof field>>;
  const read = (env: Record<string, unknown>) =>
    Object.fromEntries(
      entries.map(([name, limit]) => {
        const [max, seconds] = String(env[`RATE_LIMIT_${name.toUpperCase()}`]).split('/').map(Number);
        return [name, { ...limit, max: max ?? 0, seconds: seconds ?? 0 }];
      }),
    ) as Record<Name, Limit>;
  return { shape, read };
}

/**
 * A secret that must be worth something in production.
 * @throws ConfigError in production for a secret under 32 bytes, or one that stands in documentation or is a hash of it
 */
export function requireStrongSecret(name: string, secret: string | undefined, nodeEnv: string): void {
  if (nodeEnv !== 'production' || secret === undefined) return;
  if (isPublished(secret)) throw new ConfigError(`${name} is a published default; set one of your own`);
  if (Buffer.byteLength(secret) < MIN_SECRET_LENGTH) {
    throw new ConfigError(`${name} must have at least ${MIN_SECRET_LENGTH} bytes in production`);
  }
}

/** Also as commands print a hash of it: in hex of either case or base64, of the text with and without a line end. */
function isPublished(secret: string): boolean {
  const forms = PUBLISHED_SECRETS.flatMap((published) => [published, `${published}\n`]).flatMap((text) => [
    text,
    ...['md5', 'sha1', 'sha256', 'sha512'].flatMap((algorithm) => {
      const digest = createHash(algorithm).update(text).digest();
      return [digest.toString('hex'), digest.toString('base64'), digest.toString('base64url')];
    }),
  ]);
  return forms.includes(secret) || forms.includes(secret.toLowerCase());
}

/** @throws ConfigError naming every variable that is missing or wrong, never their values */
export function loadConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
): z.output<Schema> {
  // A variable that is set but empty counts as not set: that is what compose files and CI make of missing ones.
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const name = issue.path.join('.');
    if (name === '') return issue.message;
    return present[name] === undefined ? `${name} is missing` : `${name}: ${issue.message}`;
  });
  throw new ConfigError(lines.join('\n'));
}
