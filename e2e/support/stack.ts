import { PROCESS_SETTINGS } from '@shop/service-kit/process-settings';
import { secretKey } from '@shop/service-kit/tokens/token-keys';
import { freePort, type Started, startProcess, until } from './process.ts';
import {
  createServiceDatabase,
  folderOf,
  type ServiceDatabase,
  type ServiceName,
} from './service-database.ts';

export const JWT_SECRET = 'a-secret-of-the-tests-that-is-long-enough';
/** The secret of access tokens. */
export const TOKEN_KEY = secretKey(JWT_SECRET);
export const SERVICE_SECRET = 'a-service-secret-of-the-tests-long-enough';

/** Larger in tests, so that a busy machine does not cause 503s. Tests of the limits set it to 1; benches always use 1. */
const TIME_LIMIT_FACTOR = process.env['JEST_WORKER_ID'] === undefined ? '1' : '8';

/** One built service as a separate process. */
export interface ServiceProcess {
  readonly url: string;
  /** Of its database, as the superuser. */
  readonly databaseUrl: string;
  /** As the role of the service. */
  readonly serviceUrl: string;
  readonly port: number;
  readonly process: Started;
  isRunning(): boolean;
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  stop(): Promise<number | null>;
  /** Stops it in order and restarts it with these variables changed. */
  restart(changes: Record<string, string>): Promise<void>;
  /** Starts one more process of the service on the same database; the caller must stop it. */
  replicate(changes?: Record<string, string>): Promise<ServiceProcess>;
}

export interface StackOptions {
  /** The server on which the databases are created. */
  postgresUrl?: string;
  /** A server for each service, if they do not share one. */
  postgresUrlOf?: (service: ServiceName) => string;
  redisUrl?: string | undefined;
  /** The address of product-service for order-service, if there is a proxy between them. */
  productUrl?: (product: ServiceProcess) => Promise<string>;
  env?: Record<string, string>;
  /** Variables of one service, such as another way to the database that it was made on. */
  envOf?: (service: ServiceName, databaseUrl: string) => Promise<Record<string, string>>;
  only?: ServiceName[];
}

const ALL: ServiceName[] = ['user-service', 'product-service', 'order-service'];

/** Set by `npm test`. */
export function testServer(name: 'TEST_DATABASE_URL' | 'TEST_REDIS_URL'): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run the tests with npm test`);
  return value;
}

/** Starts the built services as processes on new databases, and waits until they are ready. */
export async function startStack(options: StackOptions = {}) {
  const postgresUrlOf =
    options.postgresUrlOf ?? (() => options.postgresUrl ?? testServer('TEST_DATABASE_URL'));
  const only = options.only ?? ALL;
  const services = new Map<ServiceName, ServiceProcess>();
  const databases = new Map<ServiceName, ServiceDatabase>();
  for (const name of ALL.filter((service) => only.includes(service))) {
    const database = await createServiceDatabase(postgresUrlOf(name), name);
    databases.set(name, database);
    const user = services.get('user-service');
    const product = services.get('product-service');
    const productUrl =
      product === undefined ? 'http://127.0.0.1:1' : await (options.productUrl?.(product) ?? product.url);
    const service = createService(
      name,
      await freePort(),
      {
        DATABASE_URL: database.serviceUrl,
        ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
        JWT_SECRET_KEY: JWT_SECRET,
        SERVICE_TOKEN_SECRET: SERVICE_SECRET,
        PRODUCT_SERVICE_URL: productUrl,
        ...(user === undefined ? {} : { USER_SERVICE_URL: user.url }),
        RATE_LIMIT_ENABLED: 'false',
        BCRYPT_COST: '4',
        TIME_LIMIT_FACTOR,
        LOG_LEVEL: 'warn',
        ...options.env,
        ...(await options.envOf?.(name, database.url)),
      },
      database,
    );
    services.set(name, service);
  }
  const begin = async ([name, service]: [ServiceName, ServiceProcess]) => {
    await databases.get(name)?.migrate();
    await service.start();
  };
  await Promise.all([...services].map(begin));
  const get = (name: ServiceName): ServiceProcess => {
    const service = services.get(name);
    if (service === undefined) throw new Error(`${name} was not started`);
    return service;
  };
  return {
    get user() {
      return get('user-service');
    },
    get product() {
      return get('product-service');
    },
    get order() {
      return get('order-service');
    },
    async close() {
      await Promise.all([...services.values()].map((service) => service.stop()));
      for (const database of databases.values()) await database.drop();
    },
  };
}

export type Stack = Awaited<ReturnType<typeof startStack>>;

function createService(
  name: ServiceName,
  port: number,
  initial: Record<string, string>,
  database: ServiceDatabase,
): ServiceProcess {
  let env = initial;
  const url = `http://127.0.0.1:${port}`;
  let process: Started | undefined;
  const running = () => {
    if (process === undefined) throw new Error(`${name} does not run`);
    return process;
  };
  const service: ServiceProcess = {
    url,
    port,
    databaseUrl: database.url,
    serviceUrl: database.serviceUrl,
    get process() {
      return running();
    },
    isRunning: () => process !== undefined,
    async start() {
      if (process !== undefined) return;
      const started = startProcess('node', ['dist/server.js'], {
        cwd: folderOf(name),
        env: { ...PROCESS_SETTINGS, ...env, PORT: String(port), HOST: '127.0.0.1' },
      });
      process = started;
      const ready = until(`${name} ready`, () => isReady(url));
      const died = started.ended().then((code) => {
        throw new Error(`${name} ended with ${code}:\n${started.output()}`);
      });
      died.catch(() => undefined);
      await Promise.race([ready, died]);
    },
    async kill() {
      running().signal('SIGKILL');
      await running().ended();
      process = undefined;
    },
    pause: () => running().signal('SIGSTOP'),
    resume: () => process?.signal('SIGCONT'),
    async stop() {
      const code = process === undefined ? null : await process.stop();
      process = undefined;
      return code;
    },
    async restart(changes) {
      await service.stop();
      env = { ...env, ...changes };
      await service.start();
    },
    async replicate(changes = {}) {
      const replica = createService(name, await freePort(), { ...env, ...changes }, database);
      await replica.start();
      return replica;
    },
  };
  return service;
}

/** Ready, and able to check tokens. */
async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/ready`);
  const { checks } = (await response.json()) as { checks?: Record<string, string> };
  return response.ok && checks?.['account_changes'] !== 'down';
}
