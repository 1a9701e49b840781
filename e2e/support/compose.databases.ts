import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { startOwnPostgres } from './postgres.ts';

const FOLDER = fileURLToPath(new URL('../../deploy/postgres/', import.meta.url));
export const SERVICES = ['user', 'product', 'order'];

/** A server and a folder of secrets, as the scripts of deploy/postgres find them in their containers. */
export async function startComposeDatabases() {
  const folder = await mkdtemp(join(tmpdir(), 'shop-databases-'));
  const postgres = await startOwnPostgres();
  const { port, password } = new URL(postgres.url);
  await writeFile(join(folder, 'postgres_password'), password);
  for (const name of SERVICES)
    for (const role of ['owner', 'db'])
      await writeFile(join(folder, `${name}_${role}_password`), `${name}-${role}`);
  return {
    secrets: folder,
    port,
    /** Runs a script of deploy/postgres. @throws Error with its output */
    run: (script: string, args: string[] = [], env: Record<string, string> = {}) =>
      promisify(execFile)('bash', [join(FOLDER, script), ...args], {
        env: {
          PATH: process.env['PATH'] ?? '',
          SECRETS_FOLDER: folder,
          PGHOST: '127.0.0.1',
          PGPORT: port,
          ...env,
        },
      }),
    /** The values of a query's rows, by default as the superuser. */
    async ask(database: string, sql: string, username?: string, secret = ''): Promise<unknown[]> {
      const url = Object.assign(new URL(postgres.url), { pathname: `/${database}` });
      const client = new Client({
        connectionString: Object.assign(url, username === undefined ? {} : { username, password: secret })
          .href,
      });
      await client.connect();
      return (await client.query({ text: sql, rowMode: 'array' }).finally(() => client.end())).rows.flat();
    },
    async close() {
      await postgres.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type ComposeDatabases = Awaited<ReturnType<typeof startComposeDatabases>>;
