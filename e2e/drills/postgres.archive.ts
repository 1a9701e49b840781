import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { stopPostgres } from '../../scripts/lib/postgres/server.ts';
import { ROOT } from '../../scripts/lib/shop.ts';
import { engineFolder, programOf } from './engines.ts';
import { defineServer, runAsServer, untilWritable } from './postgres.server.ts';

/**
 * The command of deploy/ha/patroni.yml.
 * @param wal the folder of the archive
 */
export async function archiveCommand(wal: string): Promise<string> {
  const { bootstrap } = parse(await readFile(join(ROOT, 'deploy', 'ha', 'patroni.yml'), 'utf8'));
  return bootstrap.dcs.postgresql.parameters.archive_command.replaceAll('/var/backups/shop/wal', wal);
}

/** A server whose WAL is archived, with the commands of docs/high-availability.md ("Backups"). */
export async function startArchivedPostgres() {
  const folder = await engineFolder('archive');
  const [base, wal] = [join(folder.path, 'base'), join(folder.path, 'wal')];
  await runAsServer('mkdir', [wal], folder.path);
  const server = await defineServer(folder.path, 'data', [
    ...['wal_level=replica', 'max_connections=100', 'fsync=off', 'archive_mode=on'],
    `archive_command=${await archiveCommand(wal)}`,
  ]);
  await server.initialise();
  let running = await server.launch();
  return {
    url: server.url,
    async backUp() {
      const flags = [`--pgdata=${base}`, '--format=tar', '--gzip', '--checkpoint=fast'];
      await runAsServer(programOf('pg_basebackup'), ['--dbname', server.url, ...flags], folder.path);
    },
    /** @param moment a timestamp of the server */
    async restoreTo(moment: string) {
      // An orderly stop archives the last segment.
      await stopPostgres(running);
      const { data } = server;
      await runAsServer('mv', [data, `${data}.before`], folder.path);
      await runAsServer('mkdir', ['-m', '700', data], folder.path);
      await runAsServer('tar', ['-xzf', join(base, 'base.tar.gz'), '-C', data], folder.path);
      await runAsServer(
        'tar',
        ['-xzf', join(base, 'pg_wal.tar.gz'), '-C', join(data, 'pg_wal')],
        folder.path,
      );
      const settings = [
        `restore_command = 'cp ${wal}/%f %p'`,
        `recovery_target_time = '${moment}'`,
        `recovery_target_action = 'promote'`,
      ];
      await appendFile(join(data, 'postgresql.auto.conf'), `${settings.join('\n')}\n`);
      await runAsServer('touch', [join(data, 'recovery.signal')], folder.path);
      running = await server.launch();
      await untilWritable(server.url);
    },
    async close() {
      await stopPostgres(running);
      await folder.remove();
    },
  };
}
