import { createHash, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isReadable } from '../postgres/database-hosts.ts';
import { isRedisAddress } from '../redis/redis-options.ts';
import { tracingConfig } from '../tracing/tracing.config.ts';

/** The environment is invalid; `message` has one line per variable. */
export class ConfigError extends Error {}

/** Secrets from documentation, which must not be used anywhere else, neither plain nor hashed. */
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

export const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// address' });
/** With a path, as of a `/` at the end, no browser's `Origin` would match. */
const ORIGINS =
  /^ *(\*|null|[a-z][a-z\d+.-]*:\/\/[^\s/,]+) *(, *(\*|null|[a-z][a-z\d+.-]*:\/\/[^\s/,]+) *)*$/i;

const databaseAddress = z
  .string()
  .regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// address')
  .refine(
    isReadable,
    'cannot be read as an address; characters such as # of a password have to be percent-encoded',
  );

/** Fields of the environment that all services have. */
export const commonConfig = {
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('`production` refuses weak or published secrets'),
  PORT: wholeNumber(0, 65_535, 0).describe('Port to listen on'),
  HOST: z.string().optional().describe('Address to listen on; all addresses, IPv6 included, if not set'),
  DATABASE_URL: databaseAddress.describe(
    '`postgresql://user:password@host:port/database`; of several hosts (`host1:5432,host2:5432`) the one that takes writes is used',
  ),
  DATABASE_DIRECT_URL: databaseAddress
    .optional()
    .describe(
      'The database past a pooler, for migrations and for jobs, which LISTEN; `DATABASE_URL` if not set',
    ),
  DATABASE_PREPARED: flag(true).describe(
    '`false` behind PgBouncer in transaction mode: no prepared statements, and time limits come from the role',
  ),
  DATABASE_POOL: wholeNumber(1, 200, 10).describe('Database connections of one process'),
  TIME_LIMIT_FACTOR: wholeNumber(1, 20, 1).describe(
    'Multiplies the time limits of requests and statements. Only for machines that are too slow for them, such as busy test machines',
  ),
  REDIS_URL: z
    .string()
    .refine(
      isRedisAddress,
      'must be a redis:// or redis+sentinel:// address, with a percent-encoded password',
    )
    .optional()
    .describe(
      'Shared caches and rate limits: `redis://user:password@host:6379`, `rediss://` for TLS, or `redis+sentinel://user:password@host1:26379,host2/name`. Without it, limits are kept in the process, so run one replica only',
    ),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Lowest level that is logged'),
  CURRENCY: z
    .string()
    .default('USD')
    .refine((code) => Intl.supportedValuesOf('currency').includes(code), {
      error: 'must be an ISO 4217 code',
    })
    .describe('ISO 4217 code, one per deployment; must not change once there are prices'),
  CORS_ORIGINS: z
    .string()
    .regex(
      ORIGINS,
      'must be * or origins without a path, such as https://shop.example.com, separated by commas',
    )
    .default('*')
    .describe('Allowed browser origins, separated by commas; `*` allows any, without credentials'),
  TRUST_PROXY: wholeNumber(0, 10, 0).describe(
    'Number of proxies in front whose `X-Forwarded-For` is trusted',
  ),
  RATE_LIMIT_ENABLED: flag(true).describe('`false` switches all rate limits off'),
  DRAIN_DELAY: wholeNumber(0, 60_000, 0).describe(
    'Milliseconds after a stop signal in which new connections are still accepted, until everybody knows that the process ends',
  ),
  DRAIN_TIMEOUT: wholeNumber(0, 600_000, 8000).describe(
    'Milliseconds that running requests get to finish after a stop signal',
  ),
  ...tracingConfig,
  BUILD_VERSION: z.string().optional().describe('Version in the metric `build_info`; the images set it'),
  BUILD_REVISION: z.string().optional().describe('Commit in the metric `build_info`; the images set it'),
  // Both far below 60 s, within which all stock must be returned after a failure (docs/order-placement.md, I3).
  JOB_MAX_BACKOFF: wholeNumber(1, 3600, 30).describe(
    'Longest wait before a failed job is retried, in seconds',
  ),
  JOB_ABANDONED_AFTER: wholeNumber(1, 3600, 40).describe(
    'Seconds after which an unfinished job of a killed worker is released',
  ),
};

export type CommonConfig = z.output<z.ZodObject<typeof commonConfig>>;

export interface DatabaseAddresses {
  DATABASE_URL: string;
  DATABASE_DIRECT_URL?: string | undefined;
  DATABASE_PREPARED?: boolean;
}

/** Where sessions last, for LISTEN and migrations. @throws ConfigError when it is missing behind a pooler */
export function directUrlOf(config: DatabaseAddresses): string {
  if (config.DATABASE_DIRECT_URL === undefined && config.DATABASE_PREPARED === false)
    throw new ConfigError('DATABASE_DIRECT_URL is missing: DATABASE_PREPARED=false needs it');
  return config.DATABASE_DIRECT_URL ?? config.DATABASE_URL;
}

/** Fields of all services: how they learn about accounts, from user-service or its database. */
export const accountsConfig = {
  SERVICE_TOKEN_SECRET: z
    .string()
    .min(1)
    .optional()
    .describe('Signs calls between services; the same in all. Derived from `JWT_SECRET_KEY` in development'),
  ACCOUNTS_STALE_AFTER: wholeNumber(1, 3600, 60).describe(
    'Seconds without account changes being read after which `/ready` reports `degraded`',
  ),
};

interface Secrets {
  SERVICE_TOKEN_SECRET?: string | undefined;
  JWT_SECRET_KEY?: string | undefined;
}

/**
 * Checks the secrets, and completes them.
 * @param required further variables that must be set in production
 * @throws ConfigError in production for a secret that is weak, or variables that are not set
 */
export function withSecrets<Config extends Secrets & { NODE_ENV: string }>(
  config: Config,
  required: readonly (keyof Config & string)[] = [],
) {
  requireStrongSecret('JWT_SECRET_KEY', config.JWT_SECRET_KEY, config.NODE_ENV);
  requireStrongSecret('SERVICE_TOKEN_SECRET', config.SERVICE_TOKEN_SECRET, config.NODE_ENV);
  const missing = (['SERVICE_TOKEN_SECRET', ...required] as const).filter(
    (name) => config[name] === undefined,
  );
  if (config.NODE_ENV === 'production' && missing.length > 0)
    throw new ConfigError(missing.map((name) => `${name} is missing`).join('\n'));
  return { ...config, SERVICE_TOKEN_SECRET: serviceTokenSecretOf(config) };
}

/** If `SERVICE_TOKEN_SECRET` is not set, all services of a development setup derive it from `JWT_SECRET_KEY`. */
export function serviceTokenSecretOf({ SERVICE_TOKEN_SECRET, JWT_SECRET_KEY }: Secrets): string {
  if (SERVICE_TOKEN_SECRET !== undefined) return SERVICE_TOKEN_SECRET;
  if (JWT_SECRET_KEY === undefined) throw new ConfigError('SERVICE_TOKEN_SECRET is missing');
  const derived = hkdfSync('sha256', JWT_SECRET_KEY, '', 'shop/service-token-secret', MIN_SECRET_LENGTH);
  return Buffer.from(derived).toString('hex');
}

/** @throws ConfigError in production for a secret under 32 bytes, or one that is from documentation, plain or hashed */
export function requireStrongSecret(name: string, secret: string | undefined, nodeEnv: string): void {
  if (nodeEnv !== 'production' || secret === undefined) return;
  if (isPublished(secret)) throw new ConfigError(`${name} is a published default; set one of your own`);
  if (Buffer.byteLength(secret) < MIN_SECRET_LENGTH) {
    throw new ConfigError(`${name} must have at least ${MIN_SECRET_LENGTH} bytes in production`);
  }
}

/** The secret itself and the usual printed forms of its hash: hex in either case or base64, with and without a newline. */
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

/** @throws ConfigError naming every variable that is missing or invalid, never their values */
export function loadConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: NodeJS.ProcessEnv,
): z.output<Schema> {
  // An empty variable counts as not set, because compose files and CI pass missing ones that way.
  const present = Object.fromEntries(
    Object.entries(withFiles(schema, env)).filter(([, value]) => value !== ''),
  );
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const name = issue.path.join('.');
    if (name === '') return issue.message;
    return present[name] === undefined ? `${name} is missing` : `${name}: ${issue.message}`;
  });
  throw new ConfigError(lines.join('\n'));
}

/**
 * The environment, where `NAME_FILE` may stand in for the setting `NAME`: it names a file with the value, such as Docker and
 * Kubernetes mount secrets. White space at its end does not count.
 */
function withFiles(schema: z.ZodType, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const names = Object.keys(properties).filter((name) => env[`${name}_FILE`]);
  return { ...env, ...Object.fromEntries(names.map((name) => [name, readSecret(env, name)])) };
}

function readSecret(env: NodeJS.ProcessEnv, name: string): string {
  const variable = `${name}_FILE`;
  if (env[name]) throw new ConfigError(`${name} and ${variable} are both set`);
  try {
    return readFileSync(env[variable] ?? '', 'utf8').trimEnd();
  } catch (error) {
    throw new ConfigError(`${variable}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
