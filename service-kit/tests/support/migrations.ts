import { type ChildProcess, execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../testing/test-database.ts';

const CHILD = fileURLToPath(new URL('./child-migration.ts', import.meta.url));

export interface MigrationProcess {
  child: ChildProcess;
  ended: Promise<{ code: number; stdout: string; stderr: string }>;
}

export async function ask<Row = unknown>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return (await client.query(sql).finally(() => client.end())).rows as Row[];
}

/** Databases, folders and migration processes, removed by `cleanUp`. */
export function createMigrationFixtures() {
  const cleanUps: (() => Promise<unknown>)[] = [];

  /** A `prisma` folder with these migrations. */
  const folderOf = async (migrations: Record<string, string>): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'kit-prisma-'));
    cleanUps.push(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, 'migrations'));
    await writeFile(join(folder, 'migrations', 'migration_lock.toml'), 'provider = "postgresql"\n');
    for (const [name, sql] of Object.entries(migrations)) {
      await mkdir(join(folder, 'migrations', name));
      await writeFile(join(folder, 'migrations', name, 'migration.sql'), sql);
    }
    return folder;
  };

  const start = (env: Record<string, string>, ...args: string[]): MigrationProcess => {
    let child: ChildProcess | undefined;
    const ended = new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const options = { env: { PATH: process.env['PATH'], ...env } };
      const started = execFile(
        process.execPath,
        ['--import', 'tsx', CHILD, ...args],
        options,
        (_error, stdout, stderr) => resolve({ code: started.exitCode ?? -1, stdout, stderr }),
      );
      child = started;
    });
    return { child: child as unknown as ChildProcess, ended };
  };

  return {
    folderOf,

    async emptyDatabase(): Promise<TestDatabase> {
      const database = await createTestDatabase({ name: 'kit', prismaFolder: await folderOf({}) });
      cleanUps.push(() => database.drop());
      return database;
    },

    /** Migrates in a separate process. */
    start,
    run: (env: Record<string, string>, ...args: string[]) => start(env, ...args).ended,

    async cleanUp() {
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    },
  };
}
