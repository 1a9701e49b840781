/** Ours, not the services'. */
const NOT_PASSED_ON = /^(npm_|INIT_CWD$|DATABASE_URL$|(USER|PRODUCT|ORDER)_(DATABASE_URL|PORT)$)/i;

/**
 * The environment of one service: what the caller has set, and over it what belongs to this start.
 * @param {object} options
 * @param {NodeJS.ProcessEnv} options.base
 * @param {number} options.port
 * @param {string} options.databaseUrl
 * @param {string | undefined} options.redisUrl
 * @param {import('../secrets.js').Secrets} options.secrets
 * @param {string} options.productServiceUrl
 * @returns {NodeJS.ProcessEnv}
 */
export function serviceEnvironment({ base, port, databaseUrl, redisUrl, secrets, productServiceUrl }) {
  const passed = Object.fromEntries(Object.entries(base).filter(([name]) => !NOT_PASSED_ON.test(name)));
  return {
    NODE_ENV: 'development',
    ...passed,
    JWT_SECRET_KEY: base.JWT_SECRET_KEY || secrets.jwtSecretKey,
    SERVICE_TOKEN_SECRET: base.SERVICE_TOKEN_SECRET || secrets.serviceTokenSecret,
    PORT: String(port),
    DATABASE_URL: databaseUrl,
    PRODUCT_SERVICE_URL: productServiceUrl,
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
  };
}

/**
 * Where a service is reached from this machine.
 * @param {number} port
 * @param {string} [host] HOST, when the services listen on one address only
 */
export function localUrl(port, host = '') {
  const everywhere = host === '' || host === '0.0.0.0' || host === '::';
  return `http://${everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}
