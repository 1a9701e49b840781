import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findProgram } from '../scripts/lib/programs.ts';
import { type ComposeDatabases, SERVICES, startComposeDatabases } from './support/compose.databases.ts';

const missing = ['psql', 'pg_dump', 'pg_restore'].find((name) => findProgram(name) === undefined);
if (missing !== undefined)
  console.warn(`SKIPPED: deploy/postgres/backup.sh. It needs ${missing}: apt-get install postgresql-client`);

let databases: ComposeDatabases;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shop-backups-'));
  databases = await startComposeDatabases();
});
afterAll(async () => {
  await databases.close();
  await rm(folder, { recursive: true, force: true });
});

const backUp = (env = {}) => databases.run('backup.sh', ['once'], { BACKUP_FOLDER: folder, ...env });
const restore = (file: string) => databases.run('restore.sh', [file], { BACKUP_FOLDER: folder });
const asOwner = (name: string, sql: string) =>
  databases.ask(`${name}_db`, sql, `${name}_owner`, `${name}-owner`);
const dumpOf = async (name: string) =>
  (await readdir(folder)).find((file) => file.startsWith(`${name}_db`)) ?? '';
/** Names without their times, in order. */
const dumps = async () => (await readdir(folder)).map((name) => name.replace(/-\d{8}T\d{6}Z/, '')).toSorted();
const DUMPS = ['order_db.dump', 'product_db.dump', 'user_db.dump'];

(missing === undefined ? describe : describe.skip)('deploy/postgres/backup.sh', () => {
  test('dumps each database, for its own user only', async () => {
    await databases.run('databases.sh');
    for (const name of SERVICES) await asOwner(name, `CREATE TABLE kept AS SELECT '${name}' AS of`);
    await backUp();
    expect(await dumps()).toEqual(DUMPS);
    for (const file of await readdir(folder))
      expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  });

  test.each(SERVICES)(
    'a dump is restored into an empty database by the documented command: %s',
    async (name) => {
      await databases.ask('postgres', `DROP DATABASE ${name}_db WITH (FORCE)`);
      await databases.run('databases.sh');
      const url = `postgresql://${name}_owner:${name}-owner@127.0.0.1:${databases.port}/${name}_db`;
      const guide = await readFile(new URL('../docs/high-availability.md', import.meta.url), 'utf8');
      const flags = /^pg_restore (.+?) --dbname=/m.exec(guide)?.[1]?.split(' ') ?? [];
      await promisify(execFile)('pg_restore', [
        ...flags,
        `--dbname=${url}`,
        join(folder, await dumpOf(name)),
      ]);
      expect(await asOwner(name, 'SELECT of FROM kept')).toEqual([name]);
    },
  );

  test('restore.sh leaves nothing of a later release, and keeps what is there if the dump is damaged', async () => {
    await asOwner('product', 'CREATE TABLE later AS SELECT of FROM kept');
    await writeFile(join(folder, 'product_db-damaged.dump'), 'PGDMP');
    await expect(restore('product_db-damaged.dump')).rejects.toMatchObject({ code: 1 });
    await expect(restore('other.dump')).rejects.toMatchObject({ code: 2 });
    expect(await asOwner('product', 'SELECT of FROM later')).toEqual(['product']);
    await rm(join(folder, 'product_db-damaged.dump'));
    await restore(await dumpOf('product'));
    expect(await asOwner('product', 'SELECT of FROM kept')).toEqual(['product']);
    await expect(asOwner('product', 'SELECT of FROM later')).rejects.toThrow(/does not exist/);
    const asService = databases.ask('product_db', 'SELECT 1', 'product_service', 'product-db');
    expect(await asService).toEqual([1]);
  });

  test('deletes dumps of more days ago than are kept, and leaves everything as it was if one dump failed', async () => {
    const old = join(folder, 'user_db-20200101T000000Z.dump');
    await writeFile(old, '');
    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);
    await utimes(old, daysAgo(3), daysAgo(3));
    await writeFile(join(databases.secrets, 'product_owner_password'), 'wrong');
    const before = await readdir(folder);
    await expect(backUp({ BACKUP_KEEP_DAYS: '2' })).rejects.toMatchObject({ code: 1 });
    expect(await readdir(folder)).toEqual(before);
    await writeFile(join(databases.secrets, 'product_owner_password'), 'product-owner');
    await backUp({ BACKUP_KEEP_DAYS: '4' });
    expect(await readdir(folder)).toContain('user_db-20200101T000000Z.dump');
    await backUp({ BACKUP_KEEP_DAYS: '2' });
    const left = await readdir(folder);
    expect(left).not.toContain('user_db-20200101T000000Z.dump');
    expect(
      left.filter((name) => name.startsWith('product_db') && !name.endsWith('.part')).length,
    ).toBeGreaterThan(0);
  });

  test.each([
    { BACKUP_AT: '25:00' },
    { BACKUP_AT: 'noon' },
    { BACKUP_KEEP_DAYS: '0' },
    { BACKUP_KEEP_DAYS: 'x' },
  ])('refuses %j before it dumps anything', async (env) => {
    const before = await readdir(folder);
    await expect(backUp(env)).rejects.toMatchObject({ code: 2 });
    expect(await readdir(folder)).toEqual(before);
  });
});
