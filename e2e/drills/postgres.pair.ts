import { stopPostgres } from '../../scripts/lib/postgres/server.ts';
import { sleep, until } from '../support/process.ts';
import { engineFolder, programOf } from './engines.ts';
import { ask, defineServer, runAsServer, untilWritable } from './postgres.server.ts';

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

export async function startPostgresPair(): Promise<PostgresPair> {
  const folder = await engineFolder('postgres');
  const first = await defineServer(folder.path, 'first', SETTINGS);
  const second = await defineServer(folder.path, 'second', SETTINGS);
  const urls: [string, string] = [first.url, second.url];
  await first.initialise();
  const primary = await first.launch();
  const flags = ['--checkpoint=fast', '--wal-method=stream', '--write-recovery-conf'];
  const copy = ['--dbname', first.url, '--pgdata', second.data, ...flags];
  await runAsServer(programOf('pg_basebackup'), copy, folder.path);
  const standby = await second.launch();
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
      const hosts = [first, second].map(({ port }) => `127.0.0.1:${port}`).join(',');
      return databaseUrl.replace(/@[^/]+/, `@${hosts}`);
    },
    killPrimary: () => kill(primary),
    killStandby: () => kill(standby),
    async promote() {
      await ask(urls[1], 'SELECT pg_promote()');
      await untilWritable(urls[1]);
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
