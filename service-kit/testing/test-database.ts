import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { JOB_QUEUE_VERSION } from '../src/jobs/migrate-job-queue.ts';
import { migrateDatabase } from '../src/postgres/migrate-database.ts';

/** The `TIME_LIMIT_FACTOR` of a service under test, so that a busy machine is not mistaken for a slow database. */
export const TEST_TIME_LIMIT_FACTOR = 8;

export interface TestDatabase {
  url: string;
  /** For statements that take longer than a service allows. */
  run(sql: string): Promise<void>;
  drop(): Promise<void>;
}

interface TestDatabaseOptions {
  /** Names the template, such as `product`. */
  name: string;
  /** The service's `prisma` folder. */
  prismaFolder: string;
}

/** Superuser address of the test server, set by `npm test`. */
function serverUrl(): string {
  const url = process.env['TEST_DATABASE_URL'];
  if (url === undefined) throw new Error('TEST_DATABASE_URL is not set: run the tests with npm test');
  return url;
}

const onServer = async <T>(use: (client: Client) => Promise<T>, url = serverUrl()): Promise<T> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  return use(client).finally(() => client.end());
};

const urlOf = (database: string) =>
  Object.assign(new URL(serverUrl()), { pathname: `/${database}` }).toString();

let made = 0;

/** A database of this test file's own, copied from a template that was migrated once. */
export async function createTestDatabase(options: TestDatabaseOptions): Promise<TestDatabase> {
  const template = `template_${options.name}_${await fingerprint(options.prismaFolder)}`;
  made += 1;
  const database = `test_${options.name}_${process.pid}_${Date.now()}_${made}`;
  await onServer(async (client) => {
    await ensureTemplate(client, template, options);
    await client.query(`CREATE DATABASE ${database} TEMPLATE ${template}`);
  });
  return {
    url: urlOf(database),
    run: (sql) => onServer(async (client) => void (await client.query(sql)), urlOf(database)),
    drop: () =>
      onServer(async (client) => {
        await untilUnused(client, database);
        await client.query(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
      }),
  };
}

/** A pool that was ended may still be closing its connections: being forced out is an error there that nobody handles. */
async function untilUnused(client: Client, database: string): Promise<void> {
  const used = 'SELECT FROM pg_stat_activity WHERE datname = $1';
  for (let i = 0; i < 40 && (await client.query(used, [database])).rowCount; i += 1) await sleep(50);
}

/** Copying needs the template unused, so all of it happens under one lock of the server. */
async function ensureTemplate(client: Client, template: string, { prismaFolder }: TestDatabaseOptions) {
  await client.query('SELECT pg_advisory_lock(hashtext($1))', ['test-template']);
  const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate', [
    template,
  ]);
  if (found.rowCount !== 0) return;
  await client.query(`DROP DATABASE IF EXISTS ${template}`);
  await client.query(`CREATE DATABASE ${template}`);
  await migrateDatabase({ connectionString: urlOf(template), prismaFolder });
  await client.query(`ALTER DATABASE ${template} IS_TEMPLATE true`);
}

async function fingerprint(prismaFolder: string): Promise<string> {
  const folder = join(prismaFolder, 'migrations');
  const names = (await readdir(folder)).filter((name) => !name.endsWith('.toml')).sort();
  const hash = createHash('sha1').update(JOB_QUEUE_VERSION);
  for (const name of names) hash.update(await readFile(join(folder, name, 'migration.sql')));
  return hash.digest('hex').slice(0, 12);
}
