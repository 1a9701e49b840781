import { Failure } from '../failure.ts';
import { type PerService, perService, SERVICES } from '../shop.ts';

export const HELP = `npm start              run the whole shop: PostgreSQL, Redis (when installed) and the three services
npm start -- --fresh   the same, after deleting all data of earlier starts
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

export function readPorts(env: NodeJS.ProcessEnv): PerService<number> {
  const ports = perService(({ port, portVariable }) => {
    const text = env[portVariable] || String(port);
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || value > 65_535) {
      throw new Failure(`${portVariable} must be a port number from 1 to 65535, not "${text}".`);
    }
    return value;
  });
  const names = SERVICES.map(({ portVariable }) => portVariable).join(', ');
  if (new Set(Object.values(ports)).size < 3) throw new Failure(`${names} must be three different ports.`);
  return ports;
}

/** @returns undefined for the embedded ones */
export function readDatabaseUrls(env: NodeJS.ProcessEnv): PerService<string> | undefined {
  const names = SERVICES.map(({ urlVariable }) => urlVariable);
  const missing = names.filter((name) => !env[name]);
  if (missing.length === names.length) return undefined;
  if (missing.length === 0) return perService(({ urlVariable }) => env[urlVariable] ?? '');
  const given = names.filter((name) => env[name]);
  throw new Failure(
    `${given.join(' and ')} is set, ${missing.join(' and ')} is not: ` +
      'set all three to use your own PostgreSQL, or none for the embedded one.',
  );
}
