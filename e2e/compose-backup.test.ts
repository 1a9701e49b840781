import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
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
/** Names without their times, in order. */
const dumps = async () => (await readdir(folder)).map((name) => name.replace(/-\d{8}T\d{6}Z/, '')).toSorted();
const DUMPS = ['order_db.dump', 'product_db.dump', 'user_db.dump'];

(missing === undefined ? describe : describe.skip)('deploy/postgres/backup.sh', () => {
  test('dumps each database; the dump is restored into an empty one by the documented command', async () => {
    await databases.run('databases.sh');
    for (const name of SERVICES) {
      const asOwner = (sql: string) => databases.ask(`${name}_db`, sql, `${name}_owner`, `${name}-owner`);
      await asOwner(`CREATE TABLE kept AS SELECT '${name}' AS of`);
    }
    await backUp();
    expect(await dumps()).toEqual(DUMPS);
    const [file = ''] = (await readdir(folder)).filter((name) => name.startsWith('order_db'));
    await databases.ask('order_db', 'DROP TABLE kept', 'order_owner', 'order-owner');
    const url = `postgresql://order_owner:order-owner@127.0.0.1:${databases.port}/order_db`;
    const flags = ['--no-owner', '--single-transaction', '--exit-on-error', `--dbname=${url}`];
    await promisify(execFile)('pg_restore', [...flags, join(folder, file)]);
    expect(await databases.ask('order_db', 'SELECT of FROM kept', 'order_owner', 'order-owner')).toEqual([
      'order',
    ]);
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
