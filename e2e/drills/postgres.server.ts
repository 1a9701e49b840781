import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { initialise } from '../../scripts/lib/postgres/data-folder.ts';
import { launchPostgres, superuserUrl } from '../../scripts/lib/postgres/server.ts';
import { serverUser } from '../../scripts/lib/postgres/server-user.ts';
import { freePort, until } from '../support/process.ts';
import { programOf } from './engines.ts';

const PASSWORD = 'of-the-drills';

export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 20_000 });
  client.on('error', () => undefined);
  await client.connect();
  return (await client.query(sql).finally(() => client.end())).rows;
}

/** Resolves when a standby, or a server that is being restored, has become a primary. */
export const untilWritable = (url: string) =>
  until('postgres takes writes', async () => {
    const [row] = await ask(url, 'SELECT pg_is_in_recovery() AS waits');
    return row?.['waits'] === false;
  });

/** Runs a program as the user that the servers run as. @throws Error with its output */
export async function runAsServer(program: string, args: string[], cwd: string): Promise<void> {
  await promisify(execFile)(program, args, { ...serverUser(), cwd });
}

/** A server of Debian's PostgreSQL with a folder of its own, not yet started. */
export async function defineServer(folder: string, name: string, settings: string[]) {
  const port = await freePort();
  const data = join(folder, name);
  const binaries = { postgres: programOf('postgres'), initdb: programOf('initdb'), major: 0 };
  const user = serverUser();
  const url = superuserUrl(PASSWORD, port);
  return {
    port,
    url,
    data,
    initialise: () =>
      initialise({
        ...{ folder: data, initdb: binaries.initdb, user, password: PASSWORD },
        signal: new AbortController().signal,
      }),
    /** Starts it, and waits until it responds. */
    async launch() {
      const logFile = join(folder, `${name}.log`);
      const launched = launchPostgres({ binaries, folder: data, user, settings, logFile, port });
      await until('postgres responds', async () => (await ask(url, 'SELECT 1')).length === 1);
      return launched;
    },
  };
}
