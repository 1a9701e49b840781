import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort, sleep, until } from '../../e2e/support/process.ts';
import { initialise } from '../lib/postgres/data-folder.js';
import { launchPostgres, stopPostgres, superuserUrl } from '../lib/postgres/server.js';
import { serverUser } from '../lib/postgres/server-user.js';
import { engineFolder, programOf, track } from './engines.ts';

const PASSWORD = 'of-the-drills';
/** As docs/high-availability.md has them; nothing has to survive a power cut here. */
const SETTINGS = [
  'wal_level=replica',
  'max_wal_senders=4',
  'hot_standby=on',
  'max_connections=100',
  'fsync=off',
];

/** A primary and its synchronous standby: a commit is acknowledged when both have it. */
export interface PostgresPair {
  /** Of the first server, and of the second. */
  urls: [string, string];
  /** The address of a database on whichever of the two takes writes, as the services get it. */
  throughBoth(databaseUrl: string): string;
  killPrimary(): Promise<void>;
  killStandby(): Promise<void>;
  /** The standby becomes a primary of its own. */
  promote(): Promise<void>;
  /** On the first server: what Patroni does for a lost standby unless `synchronous_mode_strict` is set. */
  stopWaitingForStandby(): Promise<void>;
  close(): Promise<void>;
}

export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 20_000 });
  client.on('error', () => undefined);
  await client.connect();
  return (await client.query(sql).finally(() => client.end())).rows;
}

export async function startPostgresPair(): Promise<PostgresPair> {
  const folder = await engineFolder('postgres');
  const user = serverUser();
  const binaries = { postgres: programOf('postgres'), initdb: programOf('initdb'), major: 0 };
  const ports = [await freePort(), await freePort()] as const;
  const urls: [string, string] = [superuserUrl(PASSWORD, ports[0]), superuserUrl(PASSWORD, ports[1])];
  const launchOn = (index: 0 | 1) =>
    track(
      launchPostgres({
        binaries,
        folder: join(folder.path, `data${index}`),
        user,
        settings: SETTINGS,
        logFile: join(folder.path, `log${index}`),
        port: ports[index],
      }),
    );
  const ready = (url: string) =>
    until('postgres responds', async () => (await ask(url, 'SELECT 1')).length === 1);
  const { signal } = new AbortController();
  await initialise({
    folder: join(folder.path, 'data0'),
    initdb: binaries.initdb,
    user,
    password: PASSWORD,
    signal,
  });
  const primary = launchOn(0);
  await ready(urls[0]);
  const flags = [
    '--pgdata',
    join(folder.path, 'data1'),
    '--checkpoint=fast',
    '--wal-method=stream',
    '--write-recovery-conf',
  ];
  await promisify(execFile)(programOf('pg_basebackup'), ['--dbname', urls[0], ...flags], {
    ...user,
    cwd: folder.path,
  });
  const standby = launchOn(1);
  await ready(urls[1]);
  const setSynchronous = async (names: string) => {
    await ask(urls[0], `ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await ask(urls[0], 'SELECT pg_reload_conf()');
  };
  await setSynchronous('*');
  await until(
    'the standby is synchronous',
    async () =>
      (await ask(urls[0], `SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'`)).length === 1,
  );
  const kill = async ({ pid, exited }: typeof primary) => {
    process.kill(-pid, 'SIGKILL');
    await exited;
  };
  return {
    urls,
    throughBoth(databaseUrl) {
      const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
      return databaseUrl.replace(/@[^/]+/, `@${hosts}`);
    },
    killPrimary: () => kill(primary),
    killStandby: () => kill(standby),
    async promote() {
      await ask(urls[1], 'SELECT pg_promote()');
      await until('the standby takes writes', async () => {
        const [row] = await ask(urls[1], 'SELECT pg_is_in_recovery() AS waits');
        return row?.['waits'] === false;
      });
    },
    stopWaitingForStandby: () => setSynchronous(''),
    async close() {
      for (const server of [standby, primary]) {
        if (server.isRunning()) await stopPostgres(server);
      }
      await sleep(100);
      await folder.remove();
    },
  };
}
