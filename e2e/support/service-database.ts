import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { startProcess } from './process.ts';

export type ServiceName = 'user-service' | 'product-service' | 'order-service';
export const folderOf = (service: ServiceName) => fileURLToPath(new URL(`../../${service}`, import.meta.url));

/** A new database of one service with two roles, as docs/operations.md describes them. */
export interface ServiceDatabase {
  /** As the superuser, for tests. */
  url: string;
  /** As the role that may read and write rows. */
  serviceUrl: string;
  /** As the owner. */
  migrate(): Promise<void>;
  drop(): Promise<void>;
}

const PASSWORD = 'of-the-tests';

export async function createServiceDatabase(server: string, name: ServiceName): Promise<ServiceDatabase> {
  const database = `e2e_${name.replace('-service', '')}_${randomUUID().slice(0, 8)}`;
  const [owner, service] = [`${database}_owner`, `${database}_service`];
  const url = Object.assign(new URL(server), { pathname: `/${database}` }).toString();
  const as = (username: string) => Object.assign(new URL(url), { username, password: PASSWORD }).toString();
  await onServer(server, [
    `CREATE ROLE ${owner} LOGIN PASSWORD '${PASSWORD}'`,
    `CREATE ROLE ${service} LOGIN PASSWORD '${PASSWORD}'`,
    `CREATE DATABASE ${database} OWNER ${owner}`,
    `REVOKE ALL ON DATABASE ${database} FROM PUBLIC`,
    `GRANT CONNECT ON DATABASE ${database} TO ${service}`,
  ]);
  // Trusted extensions can be made by the owner, others cannot.
  if (name === 'product-service') await onServer(url, ['CREATE EXTENSION pg_trgm']);
  return {
    url,
    serviceUrl: as(service),
    async migrate() {
      const migration = startProcess('node', ['dist/migrate.js'], {
        cwd: folderOf(name),
        env: { DATABASE_URL: as(owner), DATABASE_SERVICE_ROLE: service },
      });
      if ((await migration.ended()) !== 0) throw new Error(`${name} cannot migrate:\n${migration.output()}`);
    },
    drop: () =>
      onServer(server, [
        `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`,
        `DROP ROLE IF EXISTS ${owner}, ${service}`,
      ]),
  };
}

async function onServer(url: string, statements: string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const sql of statements) await client.query(sql);
  } finally {
    await client.end();
  }
}
