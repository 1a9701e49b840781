import { SERVICES } from '../shop.js';
import { superuserUrl } from './server.js';
import { withConnection } from './sql.js';

/** Of one role: a service in trouble must not take the connections of the others. */
const CONNECTIONS = 60;
/** For connections that bring no limits of their own, as in deploy/postgres. */
const TIME_LIMITS = {
  statement_timeout: '1200ms',
  lock_timeout: '1s',
  idle_in_transaction_session_timeout: '5s',
};

/**
 * Creates one database and one role per service; no role can connect to another's database. May be repeated.
 * @param {{ password: string, port: number, rolePasswords: Record<string, string> }} options
 * @returns {Promise<Record<string, string>>} the service's name to its connection string
 */
export async function ensureDatabases({ password, port, rolePasswords }) {
  await withConnection(superuserUrl(password, port), async (client) => {
    await client.query('REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC');
    for (const { role, database } of SERVICES) {
      await ensureRole(client, role, rolePasswords[role] ?? '');
      await ensureDatabase(client, database, role);
    }
  });
  for (const { database, extensions } of SERVICES) {
    await withConnection(superuserUrl(password, port, database), async (client) => {
      for (const extension of extensions) await client.query(`CREATE EXTENSION IF NOT EXISTS ${extension}`);
    });
  }
  return Object.fromEntries(
    SERVICES.map(({ name, role, database }) => [
      name,
      `postgresql://${role}:${rolePasswords[role]}@127.0.0.1:${port}/${database}`,
    ]),
  );
}

/**
 * @param {import('pg').Client} client
 * @param {string} role
 * @param {string} password
 */
async function ensureRole(client, role, password) {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
  const rights = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION';
  const limit = `CONNECTION LIMIT ${CONNECTIONS}`;
  await client.query(`${verb} ROLE ${role} ${rights} ${limit} PASSWORD ${client.escapeLiteral(password)}`);
  for (const [setting, value] of Object.entries(TIME_LIMITS))
    await client.query(`ALTER ROLE ${role} SET ${setting} = '${value}'`);
}

/**
 * @param {import('pg').Client} client
 * @param {string} database
 * @param {string} owner
 */
async function ensureDatabase(client, database, owner) {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${database} OWNER ${owner}`);
  await client.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
}
