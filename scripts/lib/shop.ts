import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Data, secrets and logs of the shop of this folder; DATA_FOLDER sets another place, for a second shop. */
export const DATA = resolve(process.env.DATA_FOLDER || join(ROOT, '.data'));
/** Files of this checkout, wherever the data is. */
export const BUILD_LOCK = join(ROOT, '.data', 'build.lock');
/** Settings of the PostgreSQL that npm start provides. */
export const POSTGRES_DATA = join(DATA, 'postgres');

export interface Service {
  /** Also its folder and workspace. */
  name: string;
  port: number;
  /** Overrides the port. */
  portVariable: string;
  /** Names an existing database instead of the embedded one. */
  urlVariable: string;
  database: string;
  /** Role that owns this database and migrates it. */
  owner: string;
  /** Of the service, which can read and write rows. */
  role: string;
  /** Created by the superuser. */
  extensions: string[];
}

/** In start order; they stop in reverse. */
export const SERVICES: Service[] = [
  {
    name: 'user-service',
    port: 5001,
    portVariable: 'USER_PORT',
    urlVariable: 'USER_DATABASE_URL',
    database: 'user_db',
    owner: 'user_owner',
    role: 'user_service',
    extensions: [],
  },
  {
    name: 'product-service',
    port: 5002,
    portVariable: 'PRODUCT_PORT',
    urlVariable: 'PRODUCT_DATABASE_URL',
    database: 'product_db',
    owner: 'product_owner',
    role: 'product_service',
    extensions: ['pg_trgm'],
  },
  {
    name: 'order-service',
    port: 5003,
    portVariable: 'ORDER_PORT',
    urlVariable: 'ORDER_DATABASE_URL',
    database: 'order_db',
    owner: 'order_owner',
    role: 'order_service',
    extensions: [],
  },
];
