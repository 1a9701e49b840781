import { PROCESS_SETTINGS } from '../../../service-kit/process-settings.js';
import type { Secrets } from '../secrets.ts';

/** Variables of npm start itself, which are not passed to services. */
const NOT_PASSED_ON = /^(npm_|INIT_CWD$|DATABASE_URL$|(USER|PRODUCT|ORDER)_(DATABASE_URL|PORT)$)/i;

/** The environment of one service: the caller's variables, overridden by those of this start. */
export function serviceEnvironment({
  name,
  base,
  port,
  databaseUrl,
  redisUrl,
  secrets,
  urls,
}: {
  /** Of the service. */
  name: string;
  base: NodeJS.ProcessEnv;
  port: number;
  databaseUrl: string;
  redisUrl: string | undefined;
  secrets: Secrets;
  /** Of all services. */
  urls: Record<string, string>;
}): NodeJS.ProcessEnv {
  const passed = Object.fromEntries(Object.entries(base).filter(([name]) => !NOT_PASSED_ON.test(name)));
  return {
    NODE_ENV: 'development',
    ...PROCESS_SETTINGS,
    ...passed,
    ...tokenKey({ name, base, secrets, urls }),
    SERVICE_TOKEN_SECRET: base.SERVICE_TOKEN_SECRET || secrets.serviceTokenSecret,
    PORT: String(port),
    DATABASE_URL: databaseUrl,
    USER_SERVICE_URL: urls['user-service'] ?? '',
    PRODUCT_SERVICE_URL: urls['product-service'] ?? '',
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
  };
}

/** With a private key only user-service can sign; it keeps the secret to refresh earlier sessions. */
function tokenKey({
  name,
  base,
  secrets,
  urls,
}: Pick<Parameters<typeof serviceEnvironment>[0], 'name' | 'base' | 'secrets' | 'urls'>) {
  if (base.JWT_PRIVATE_KEY && name !== 'user-service')
    return {
      JWT_SECRET_KEY: '',
      JWT_PRIVATE_KEY: '',
      JWKS_URL: `${urls['user-service']}/.well-known/jwks.json`,
    };
  return { JWT_SECRET_KEY: base.JWT_SECRET_KEY || secrets.jwtSecretKey };
}

/**
 * The address of a service on this machine.
 * @param host HOST, when the services listen on one address only
 */
export function localUrl(port: number, host: string = '') {
  const everywhere = host === '' || host === '0.0.0.0' || host === '::';
  return `http://${everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}
