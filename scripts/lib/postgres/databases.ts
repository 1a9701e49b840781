import type { Client } from 'pg';
import { perService, SERVICES } from '../shop.ts';
import { superuserUrl } from './server.ts';
import { withConnection } from './sql.ts';

/** Of one role: a service in trouble must not take the connections of the others. */
const CONNECTIONS = 60;
/** For connections that bring no limits of their own, as in deploy/postgres. */
const TIME_LIMITS = {
  statement_timeout: '1200ms',
  lock_timeout: '1s',
  idle_in_transaction_session_timeout: '5s',
};

/**
 * Creates one database and two roles per service: its owner, which migrates it, and the service, which reads and writes
 * rows. No role can connect to another's database. May be repeated, also for data of a release where the service was
 * the owner.
 * @returns the connection strings of the services, and what their migrations need in addition
 */
export async function ensureDatabases(password: string, port: number, rolePasswords: Record<string, string>) {
  await withConnection(superuserUrl(password, port), async (client) => {
    await client.query('REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC');
    for (const { owner, role, database } of SERVICES) {
      for (const name of [owner, role]) await ensureRole(client, name, rolePasswords[name] ?? '');
      for (const [setting, value] of Object.entries(TIME_LIMITS))
        await client.query(`ALTER ROLE ${role} SET ${setting} = '${value}'`);
      const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${database} OWNER ${owner}`);
      await client.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
    }
  });
  for (const { database, owner, role, extensions } of SERVICES) {
    await withConnection(superuserUrl(password, port, database), async (client) => {
      for (const extension of extensions) await client.query(`CREATE EXTENSION IF NOT EXISTS ${extension}`);
      await client.query(`REASSIGN OWNED BY ${role} TO ${owner}`);
      // Last: a database that gets another owner gives the rights of the former one to the new one.
      await client.query(`GRANT CONNECT ON DATABASE ${database} TO ${role}`);
    });
  }
  const urlOf = (role: string, database: string) =>
    `postgresql://${role}:${rolePasswords[role]}@127.0.0.1:${port}/${database}`;
  return {
    urls: perService(({ role, database }) => urlOf(role, database)),
    migrationSettings: perService(({ owner, role, database }) => ({
      DATABASE_URL: urlOf(owner, database),
      DATABASE_SERVICE_ROLE: role,
    })),
  };
}

async function ensureRole(client: Client, role: string, password: string) {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
  const rights = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION';
  const limit = `CONNECTION LIMIT ${CONNECTIONS}`;
  await client.query(`${verb} ROLE ${role} ${rights} ${limit} PASSWORD ${client.escapeLiteral(password)}`);
}
