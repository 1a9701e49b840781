import { PROCESS_SETTINGS } from '../../../service-kit/process-settings.js';

/** Variables of npm start itself, which are not passed to services. */
const NOT_PASSED_ON = /^(npm_|INIT_CWD$|DATABASE_URL$|(USER|PRODUCT|ORDER)_(DATABASE_URL|PORT)$)/i;

/**
 * The environment of one service: the caller's variables, overridden by those of this start.
 * @param {object} options
 * @param {string} options.name of the service
 * @param {NodeJS.ProcessEnv} options.base
 * @param {number} options.port
 * @param {string} options.databaseUrl
 * @param {string | undefined} options.redisUrl
 * @param {import('../secrets.js').Secrets} options.secrets
 * @param {Record<string, string>} options.urls of all services
 * @returns {NodeJS.ProcessEnv}
 */
export function serviceEnvironment({ name, base, port, databaseUrl, redisUrl, secrets, urls }) {
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

/**
 * With a private key only user-service can sign; it keeps the secret to refresh earlier sessions.
 * @param {Pick<Parameters<typeof serviceEnvironment>[0], 'name' | 'base' | 'secrets' | 'urls'>} options
 */
function tokenKey({ name, base, secrets, urls }) {
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
 * @param {number} port
 * @param {string} [host] HOST, when the services listen on one address only
 */
export function localUrl(port, host = '') {
  const everywhere = host === '' || host === '0.0.0.0' || host === '::';
  return `http://${everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}
