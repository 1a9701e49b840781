import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { applyMigrations, DatabaseTooNew } from '../src/postgres/migrate.ts';
import { onOwnConnection } from '../src/postgres/open-pool.ts';
import { until } from '../testing/until.ts';
import { ask, createMigrationFixtures } from './support/migrations.ts';

const { folderOf, emptyDatabase, run, cleanUp } = createMigrationFixtures();
afterEach(cleanUp);

const first = { '20260101000000_first': 'CREATE TABLE "things" ("id" SERIAL PRIMARY KEY);' };
const second = { ...first, '20260201000000_second': 'ALTER TABLE "things" ADD COLUMN "name" TEXT;' };
const names = Object.keys;

describe('migrations', () => {
  test('are applied once and in order, and later ones after them', async () => {
    const { url } = await emptyDatabase();
    const apply = async (migrations: Record<string, string>) =>
      applyMigrations({ connectionString: url, prismaFolder: await folderOf(migrations) });
    expect(await apply(first)).toEqual(names(first));
    expect(await apply(first)).toEqual([]);
    expect(await apply(second)).toEqual(['20260201000000_second']);
    expect(await ask(url, 'SELECT id, name FROM things')).toEqual([]);
    expect(
      await ask(
        url,
        'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1',
      ),
    ).toEqual(names(second).map((migration_name) => ({ migration_name })));
  });

  test('leave no connection open', async () => {
    const { url } = await emptyDatabase();
    await applyMigrations({ connectionString: url, prismaFolder: await folderOf(first) });
    const others =
      'SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()';
    await until('they are gone', async () => (await ask(url, others)).length === 0);
  });

  test('are applied once by three runs at the same time', async () => {
    const { url } = await emptyDatabase();
    const prismaFolder = await folderOf(second);
    const applied = await Promise.all(
      [1, 2, 3].map(() => applyMigrations({ connectionString: url, prismaFolder })),
    );
    expect(applied.flat()).toEqual(names(second));
  });

  test('say that they wait for another process', async () => {
    const { url } = await emptyDatabase();
    let waits = 0;
    await onOwnConnection(url, async (other) => {
      await other.query('SELECT pg_advisory_lock(7263001)');
      const onWait = () => {
        waits += 1;
        void other.query('SELECT pg_advisory_unlock(7263001)');
      };
      await applyMigrations({ connectionString: url, prismaFolder: await folderOf(first), onWait });
    });
    expect(waits).toBe(1);
  });

  test('are refused if newer code has migrated the database', async () => {
    const { url } = await emptyDatabase();
    await applyMigrations({ connectionString: url, prismaFolder: await folderOf(second) });
    const older = applyMigrations({ connectionString: url, prismaFolder: await folderOf(first) });
    await expect(older).rejects.toThrow(DatabaseTooNew);
    await expect(older).rejects.toThrow('20260201000000_second');
  });

  test('that fail report the reason, and block later ones', async () => {
    const { url } = await emptyDatabase();
    const broken = await folderOf({
      ...first,
      '20260301000000_broken': 'ALTER TABLE "nothing" ADD COLUMN "x" INT;',
    });
    await expect(applyMigrations({ connectionString: url, prismaFolder: broken })).rejects.toThrow(
      /20260301000000_broken failed: relation "nothing" does not exist/,
    );
    await expect(applyMigrations({ connectionString: url, prismaFolder: broken })).rejects.toThrow(
      'The migration 20260301000000_broken failed earlier: relation "nothing" does not exist',
    );
    expect(
      await ask(
        url,
        'SELECT finished_at, rolled_back_at, applied_steps_count FROM _prisma_migrations ORDER BY started_at DESC LIMIT 1',
      ),
    ).toEqual([{ finished_at: null, rolled_back_at: null, applied_steps_count: 0 }]);
  });

  test('need a server that responds', async () => {
    const nowhere = applyMigrations({
      connectionString: 'postgres://nobody@127.0.0.1:1/none',
      prismaFolder: await folderOf(first),
    });
    await expect(nowhere).rejects.toThrow('ECONNREFUSED');
  });
});

describe('the table of Prisma Migrate', () => {
  const COLUMNS = `
    SELECT column_name, data_type, character_maximum_length, is_nullable, column_default
      FROM information_schema.columns WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position`;
  const column = (
    column_name: string,
    data_type: string,
    character_maximum_length: number | null = null,
    is_nullable = 'YES',
    column_default: string | null = null,
  ) => ({ column_name, data_type, character_maximum_length, is_nullable, column_default });

  test('has the same columns and rows as written by the schema engine of Prisma 7.10', async () => {
    const { url } = await emptyDatabase();
    const sql = 'CREATE TABLE "é" (id int);\r\n';
    await applyMigrations({
      connectionString: url,
      prismaFolder: await folderOf({ '20260101000000_a': sql }),
    });
    expect(await ask(url, COLUMNS)).toEqual([
      column('id', 'character varying', 36, 'NO'),
      column('checksum', 'character varying', 64, 'NO'),
      column('finished_at', 'timestamp with time zone'),
      column('migration_name', 'character varying', 255, 'NO'),
      column('logs', 'text'),
      column('rolled_back_at', 'timestamp with time zone'),
      column('started_at', 'timestamp with time zone', null, 'NO', 'now()'),
      column('applied_steps_count', 'integer', null, 'NO', '0'),
    ]);
    expect(await ask(url, 'SELECT * FROM _prisma_migrations')).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
        checksum: createHash('sha256').update(sql).digest('hex'),
        finished_at: expect.any(Date),
        migration_name: '20260101000000_a',
        logs: null,
        rolled_back_at: null,
        started_at: expect.any(Date),
        applied_steps_count: 1,
      },
    ]);
  });

  test('is accepted if that engine has written it', async () => {
    const { url } = await emptyDatabase();
    const connection = { connectionString: url };
    // As the engine of the previous release wrote them, including a failed attempt that was resolved.
    await ask(
      url,
      `
      CREATE TABLE things (id SERIAL PRIMARY KEY);
      INSERT INTO _prisma_migrations VALUES
        ('a86dc6d9-009d-4b89-9892-8d640f1acde1', '${'a'.repeat(64)}', now(), '20260101000000_first', NULL, NULL, now(), 1),
        ('4116497d-fa20-41dc-8590-f606c6343770', '${'b'.repeat(64)}', NULL, '20260201000000_second', 'external connector error', now(), now(), 0)`,
    );
    expect(await applyMigrations({ ...connection, prismaFolder: await folderOf(second) })).toEqual([
      '20260201000000_second',
    ]);
    expect(await applyMigrations({ ...connection, prismaFolder: await folderOf(second) })).toEqual([]);
  });
});

describe('a migration as a process', () => {
  test('reports what it did and exits with 0, also if there is nothing to do', async () => {
    const { url } = await emptyDatabase();
    const env = { DATABASE_URL: url, PRISMA_FOLDER: await folderOf(second) };
    expect(await run(env)).toEqual({
      code: 0,
      stdout: `child: applied ${names(second).join(', ')}\n`,
      stderr: '',
    });
    expect(await run(env)).toEqual({ code: 0, stdout: 'child: nothing to migrate\n', stderr: '' });
  });

  test('exits with 1 and the reason if it fails', async () => {
    expect(await run({})).toEqual({ code: 1, stdout: '', stderr: 'child: DATABASE_URL is missing\n' });
    const { url } = await emptyDatabase();
    await applyMigrations({ connectionString: url, prismaFolder: await folderOf(second) });
    const { code, stderr } = await run({ DATABASE_URL: url, PRISMA_FOLDER: await folderOf(first) });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^child: The database is newer than this code: .*second\n$/);
  });
});
