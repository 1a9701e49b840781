import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { applyMigrations, DatabaseTooNew } from '../src/postgres/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../src/testing/test-database.ts';
import { until } from './support/until.ts';

const SCHEMA = `datasource db {
  provider = "postgresql"
}
`;
const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A `prisma` folder with these migrations. */
async function folderOf(migrations: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kit-prisma-'));
  cleanUps.push(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'migrations'));
  await writeFile(join(folder, 'schema.prisma'), SCHEMA);
  await writeFile(join(folder, 'migrations', 'migration_lock.toml'), 'provider = "postgresql"\n');
  for (const [name, sql] of Object.entries(migrations)) {
    await mkdir(join(folder, 'migrations', name));
    await writeFile(join(folder, 'migrations', name, 'migration.sql'), sql);
  }
  return folder;
}

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase({ name: 'kit', prismaFolder: await folderOf({}) });
  cleanUps.push(() => database.drop());
  return database;
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return (await client.query(sql).finally(() => client.end())).rows;
}

const first = { '20260101000000_first': 'CREATE TABLE "things" ("id" SERIAL PRIMARY KEY);' };
const second = { ...first, '20260201000000_second': 'ALTER TABLE "things" ADD COLUMN "name" TEXT;' };
const names = Object.keys;

describe('migrations', () => {
  test('are applied in order, once, and later ones on top', async () => {
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

  test('leave no connection behind', async () => {
    const { url } = await emptyDatabase();
    await applyMigrations({ connectionString: url, prismaFolder: await folderOf(first) });
    const others =
      'SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()';
    await until('they are gone', async () => (await ask(url, others)).length === 0, 5000);
  });

  test('are applied once by several that start at the same time', async () => {
    const { url } = await emptyDatabase();
    const prismaFolder = await folderOf(second);
    const applied = await Promise.all(
      [1, 2, 3].map(() => applyMigrations({ connectionString: url, prismaFolder })),
    );
    expect(applied.flat()).toEqual(names(second));
  });

  test('are refused by a database that newer code has migrated', async () => {
    const { url } = await emptyDatabase();
    await applyMigrations({ connectionString: url, prismaFolder: await folderOf(second) });
    const older = applyMigrations({ connectionString: url, prismaFolder: await folderOf(first) });
    await expect(older).rejects.toThrow(DatabaseTooNew);
    await expect(older).rejects.toThrow('20260201000000_second');
  });

  test('that fail say why, and keep the next from being applied on top', async () => {
    const { url } = await emptyDatabase();
    const broken = await folderOf({
      ...first,
      '20260301000000_broken': 'ALTER TABLE "nothing" ADD COLUMN "x" INT;',
    });
    await expect(applyMigrations({ connectionString: url, prismaFolder: broken })).rejects.toThrow(
      /20260301000000_broken failed: relation "nothing" does not exist/,
    );
    await expect(applyMigrations({ connectionString: url, prismaFolder: broken })).rejects.toThrow(/failed/);
  });

  test('need a server that answers', async () => {
    const nowhere = applyMigrations({
      connectionString: 'postgres://nobody@127.0.0.1:1/none',
      prismaFolder: await folderOf(first),
    });
    await expect(nowhere).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a migration as a process', () => {
  const file = fileURLToPath(new URL('./support/child-migration.ts', import.meta.url));
  const run = (env: Record<string, string>) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const options = { env: { PATH: process.env['PATH'], ...env } };
      const child = execFile(process.execPath, ['--import', 'tsx', file], options, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, stdout, stderr }),
      );
    });

  test('tells what it did and ends with 0, also when there is nothing to do', async () => {
    const { url } = await emptyDatabase();
    const env = { DATABASE_URL: url, PRISMA_FOLDER: await folderOf(second) };
    expect(await run(env)).toEqual({
      code: 0,
      stdout: `child: applied ${names(second).join(', ')}\n`,
      stderr: '',
    });
    expect(await run(env)).toEqual({ code: 0, stdout: 'child: nothing to migrate\n', stderr: '' });
  });

  test('ends with 1 and the reason when it cannot', async () => {
    expect(await run({})).toEqual({ code: 1, stdout: '', stderr: 'child: DATABASE_URL is missing\n' });
    const { url } = await emptyDatabase();
    await applyMigrations({ connectionString: url, prismaFolder: await folderOf(second) });
    const { code, stderr } = await run({ DATABASE_URL: url, PRISMA_FOLDER: await folderOf(first) });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^child: The database is newer than this code: .*second\n$/);
  });
});
