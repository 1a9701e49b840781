import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Data, secrets and logs of the shop of this folder; DATA_FOLDER sets another place, for a second shop. */
export const DATA = resolve(process.env.DATA_FOLDER || join(ROOT, '.data'));

const service = (noun: 'user' | 'product' | 'order', port: number, extensions: string[] = []) => ({
  /** Also its folder and workspace. */
  name: `${noun}-service` as const,
  port,
  /** Overrides the port. */
  portVariable: `${noun.toUpperCase()}_PORT`,
  /** Names an existing database instead of the embedded one. */
  urlVariable: `${noun.toUpperCase()}_DATABASE_URL`,
  database: `${noun}_db`,
  /** Role that owns this database and migrates it. */
  owner: `${noun}_owner`,
  /** Role of the service, which can read and write rows. */
  role: `${noun}_service`,
  /** Created by the superuser. */
  extensions,
});

export type ServiceName = ReturnType<typeof service>['name'];
export type PerService<T> = Record<ServiceName, T>;

/** In start order; they stop in reverse. */
export const SERVICES = [
  service('user', 5001),
  service('product', 5002, ['pg_trgm']),
  service('order', 5003),
];

export const perService = <T>(of: (service: (typeof SERVICES)[number]) => T) =>
  Object.fromEntries(SERVICES.map((service) => [service.name, of(service)])) as PerService<T>;
