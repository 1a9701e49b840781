import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Data, secrets and logs of the shop of this folder; DATA_FOLDER sets another place, for a second shop. */
export const DATA = resolve(process.env.DATA_FOLDER || join(ROOT, '.data'));
/** Files of this checkout, wherever the data is. */
export const BUILD_LOCK = join(ROOT, '.data', 'build.lock');
/** Settings of the PostgreSQL that npm start provides. */
export const POSTGRES_DATA = join(DATA, 'postgres');

/**
 * @typedef {object} Service
 * @property {string} name also its folder and workspace
 * @property {number} port
 * @property {string} portVariable overrides the port
 * @property {string} urlVariable names an existing database instead of the embedded one
 * @property {string} database
 * @property {string} owner role that owns this database and migrates it
 * @property {string} role of the service, which can read and write rows
 * @property {string[]} extensions created by the superuser
 */

/** In start order; they stop in reverse. @type {Service[]} */
export const SERVICES = [
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
