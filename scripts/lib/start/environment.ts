import { PROCESS_SETTINGS } from '../../../service-kit/process-settings.js';
import type { Secrets } from '../secrets.ts';
import type { PerService, ServiceName } from '../shop.ts';

/** Variables of npm start itself, which are not passed to services. */
const NOT_PASSED_ON = /^(npm_|INIT_CWD$|DATABASE_URL$|(USER|PRODUCT|ORDER)_(DATABASE_URL|PORT)$)/i;

interface Shop {
  ports: PerService<number>;
  urls: PerService<string>;
  databases: PerService<string>;
  redis: string | undefined;
  secrets: Secrets;
}

/** The environment of one service: the caller's variables, overridden by those of this start. */
export function serviceEnvironment(name: ServiceName, shop: Shop): NodeJS.ProcessEnv {
  const { ports, urls, databases, redis, secrets } = shop;
  return {
    NODE_ENV: 'development',
    ...PROCESS_SETTINGS,
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_PASSED_ON.test(name))),
    ...tokenKey(name, shop),
    SERVICE_TOKEN_SECRET: process.env.SERVICE_TOKEN_SECRET || secrets.serviceTokenSecret,
    PORT: String(ports[name]),
    DATABASE_URL: databases[name],
    USER_SERVICE_URL: urls['user-service'],
    PRODUCT_SERVICE_URL: urls['product-service'],
    ...(redis !== undefined && { REDIS_URL: redis }),
  };
}

/** With a private key only user-service can sign; it keeps the secret to refresh earlier sessions. */
function tokenKey(name: ServiceName, { urls, secrets }: Shop) {
  if (!process.env.JWT_PRIVATE_KEY || name === 'user-service')
    return { JWT_SECRET_KEY: process.env.JWT_SECRET_KEY || secrets.jwtSecretKey };
  const JWKS_URL = `${urls['user-service']}/.well-known/jwks.json`;
  return { JWT_SECRET_KEY: '', JWT_PRIVATE_KEY: '', JWKS_URL };
}

/**
 * The address of a service on this machine.
 * @param host HOST, when the services listen on one address only
 */
export function localUrl(port: number, host = '') {
  const everywhere = host === '' || host === '0.0.0.0' || host === '::';
  return `http://${everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}
