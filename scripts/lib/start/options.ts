import { Failure } from '../failure.ts';
import { SERVICES } from '../shop.ts';

export const HELP = `npm start              run the whole shop: PostgreSQL, Redis (when installed) and the three services
npm start -- --fresh   the same, after throwing away all data of earlier starts
npm start -- --watch   the same as npm run dev: a service restarts when its sources change
npm start -- --help    this text

Environment (all optional)
  USER_PORT, PRODUCT_PORT, ORDER_PORT     other ports than 5001, 5002, 5003
  USER_DATABASE_URL, PRODUCT_DATABASE_URL, ORDER_DATABASE_URL
                                          your own PostgreSQL instead of the embedded one (all three)
  REDIS_URL                               your own Redis
  JWT_SECRET_KEY, SERVICE_TOKEN_SECRET    instead of the generated ones
  JWT_PRIVATE_KEY                         signs with ES256 instead
  DATA_FOLDER                             another place than .data/, for a second shop
  LOG_LEVEL, CURRENCY, CORS_ORIGINS, RATE_LIMIT_…, ADMIN_…
                                          are passed to the services

Data, secrets and server logs are in .data/ or DATA_FOLDER.`;

export function parseOptions(args: string[]) {
  const unknown = args.find((arg) => arg !== '--fresh' && arg !== '--watch');
  if (unknown !== undefined) throw new Failure(`Unknown argument: ${unknown}\n\n${HELP}`);
  return { fresh: args.includes('--fresh'), watch: args.includes('--watch') };
}

/** @returns the service's name to its port */
export function readPorts(env: NodeJS.ProcessEnv): Record<string, number> {
  const ports = SERVICES.map(({ name, port, portVariable }) => {
    const text = env[portVariable] || String(port);
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || value > 65_535) {
      throw new Failure(`${portVariable} must be a port number from 1 to 65535, not "${text}".`);
    }
    return [name, value] as const;
  });
  if (new Set(ports.map(([, port]) => port)).size < ports.length) {
    throw new Failure(
      `${SERVICES.map((service) => service.portVariable).join(', ')} must be three different ports.`,
    );
  }
  return Object.fromEntries(ports);
}

/** @returns the service's name to its database, undefined for the embedded one */
export function readDatabaseUrls(env: NodeJS.ProcessEnv): Record<string, string> | undefined {
  const given = SERVICES.filter(({ urlVariable }) => env[urlVariable]);
  if (given.length === 0) return undefined;
  const missing = SERVICES.filter((service) => !given.includes(service)).map(
    ({ urlVariable }) => urlVariable,
  );
  if (missing.length > 0) {
    throw new Failure(
      `${given.map(({ urlVariable }) => urlVariable).join(' and ')} is set, ${missing.join(' and ')} is not: ` +
        'set all three to use your own PostgreSQL, or none for the embedded one.',
    );
  }
  return Object.fromEntries(SERVICES.map(({ name, urlVariable }) => [name, env[urlVariable] ?? '']));
}
