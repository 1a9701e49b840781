import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { sqlStateOf } from './database-errors.ts';
import { type Migration, readMigrations, type Step } from './migration-steps.ts';
import { onOwnConnection } from './open-pool.ts';

/** Any number; all migrations of one database wait for each other on it. */
const MIGRATION_LOCK = 7_263_001;
/** Milliseconds between two attempts to get it. */
const POLL = 100;
/** Milliseconds. Requests queue behind a lock that a migration waits for, so it waits briefly and tries again. */
const LOCK_TIMEOUT = 500;
const PAUSE = 1000;
const ATTEMPTS = 60;
const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK = '40P01';

/** The database has migrations that this version of the code does not know. */
export class DatabaseTooNew extends Error {}

export interface MigrateOptions {
  connectionString: string;
  /** The service's `prisma` folder with its `migrations/`. */
  prismaFolder: string;
  /** A migration that failed, whose cause has been removed: it continues at the step that failed. */
  resolve?: string | undefined;
  /** How often a step that cannot get its locks is tried, and the milliseconds between. */
  attempts?: number;
  pause?: number;
  /** Called once if another process migrates the database: this one waits until it has ended. */
  onWait?: (() => void) | undefined;
}

/** The table of Prisma Migrate. `logs` of a migration that finished may hold `compatible with <migration>`. */
const TABLE = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id                  VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum            VARCHAR(64) NOT NULL,
  finished_at         TIMESTAMPTZ,
  migration_name      VARCHAR(255) NOT NULL,
  logs                TEXT,
  rolled_back_at      TIMESTAMPTZ,
  started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`;

interface AppliedRow {
  id: string;
  name: string;
  checksum: string;
  logs: string | null;
  steps: number;
  is_finished: boolean;
}

/**
 * Applies the missing migrations of Prisma Migrate's folder format and records them as Prisma Migrate does. Several
 * processes may call it at the same time. A migration that was interrupted continues at the step it had reached.
 * @returns the names of the migrations that were completed by this call
 * @throws DatabaseTooNew when the database has migrations of newer code that are not marked compatible with this code
 */
export async function applyMigrations(options: MigrateOptions): Promise<string[]> {
  const { connectionString, prismaFolder, resolve } = options;
  const migrations = await readMigrations(prismaFolder);
  return onOwnConnection(connectionString, async (client) => {
    await takeLock(client, options.onWait);
    await client.query(TABLE);
    if (resolve !== undefined) await markResolved(client, resolve);
    const applied = await appliedRows(client);
    refuseNewer(applied, migrations);
    const done: string[] = [];
    for (const migration of migrations) {
      const row = applied.find(({ name }) => name === migration.name);
      if (row?.is_finished) continue;
      // Processes that were started before this call still use what it removes.
      if (applied.length > 0 && migration.contracts && done.includes(migration.contracts)) continue;
      await applyMigration(client, migration, row, options);
      done.push(migration.name);
    }
    return done;
  });
}

/** Polled: a session that waits inside a statement would hold up another one's `CREATE INDEX CONCURRENTLY`. */
async function takeLock(client: PoolClient, onWait?: () => void): Promise<void> {
  const sql = 'SELECT pg_try_advisory_lock($1) AS taken';
  for (let waits = 0; ; waits += 1) {
    const { rows } = await client.query<{ taken: boolean }>(sql, [MIGRATION_LOCK]);
    if (rows[0]?.taken) return;
    if (waits === 0) onWait?.();
    await sleep(POLL);
  }
}

async function appliedRows(client: PoolClient): Promise<AppliedRow[]> {
  const { rows } = await client.query<AppliedRow>(
    `SELECT id, migration_name AS name, checksum, logs, applied_steps_count AS steps, finished_at IS NOT NULL AS is_finished
       FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`,
  );
  const failed = rows.find((row) => !row.is_finished && row.logs !== null);
  if (failed === undefined) return rows;
  throw new Error(
    `The migration ${failed.name} failed earlier: ${failed.logs}\nRemove the cause, then migrate with --resolve ${failed.name}`,
  );
}

function refuseNewer(applied: AppliedRow[], migrations: Migration[]): void {
  const known = new Set(migrations.map(({ name }) => name));
  const isKnown = (name: string | undefined) => name !== undefined && known.has(name);
  const newer = applied.find(
    ({ name, logs }) => !isKnown(name) && !isKnown(/^compatible with (\S+)$/.exec(logs ?? '')?.[1]),
  );
  if (newer === undefined) return;
  throw new DatabaseTooNew(`The database is newer than this code: it has the migration ${newer.name}`);
}

async function markResolved(client: PoolClient, name: string): Promise<void> {
  const sql =
    'UPDATE _prisma_migrations SET logs = NULL WHERE migration_name = $1 AND finished_at IS NULL AND rolled_back_at IS NULL';
  const { rowCount } = await client.query(sql, [name]);
  if (rowCount === 0) throw new Error(`There is no failed migration ${name}`);
}

async function applyMigration(
  client: PoolClient,
  { name, checksum, steps, compatibleWith }: Migration,
  begun: AppliedRow | undefined,
  options: MigrateOptions,
): Promise<void> {
  if (begun !== undefined && begun.steps > 0 && begun.checksum !== checksum) {
    throw new Error(`The migration ${name} was changed after ${begun.steps} of its steps were applied`);
  }
  const id = begun?.id ?? randomUUID();
  const insert = `INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)
                  ON CONFLICT (id) DO UPDATE SET checksum = excluded.checksum`;
  await client.query(insert, [id, checksum, name]);
  const set = (assignment: string, ...values: unknown[]) =>
    client.query(`UPDATE _prisma_migrations SET ${assignment} WHERE id = $1`, [id, ...values]);
  try {
    for (const step of steps.slice(begun?.steps ?? 0)) {
      await patiently(
        () => runStep(client, step, () => set('applied_steps_count = applied_steps_count + 1')),
        options,
      );
    }
  } catch (error) {
    const reason = (error as Error).message;
    // Without a connection nothing is recorded: the next call continues here.
    await set('logs = $2', reason).catch(() => undefined);
    throw new Error(`The migration ${name} failed: ${reason}`, { cause: error });
  }
  await set('finished_at = now(), logs = $2', compatibleWith ? `compatible with ${compatibleWith}` : null);
}

async function runStep(
  client: PoolClient,
  { kind, sql }: Step,
  count: () => Promise<unknown>,
): Promise<void> {
  // What runs alone takes no lock that requests wait for; a timeout would leave an invalid index behind.
  await client.query(`SET lock_timeout = ${kind === 'alone' ? 0 : LOCK_TIMEOUT}`);
  if (kind !== 'transaction') {
    if (kind === 'alone') await dropInvalidIndex(client, sql);
    let changed: number | null;
    do changed = (await client.query(sql)).rowCount;
    while (kind === 'batches' && changed);
    return void (await count());
  }
  try {
    await client.query('BEGIN');
    await client.query(sql);
    await count();
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** What an interrupted `CREATE INDEX CONCURRENTLY` left: it is not used, and its name is taken. */
async function dropInvalidIndex(client: PoolClient, sql: string): Promise<void> {
  const name = /INDEX CONCURRENTLY IF NOT EXISTS "?(\w+)/i.exec(sql)?.[1];
  const find = 'SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid';
  const { rowCount } = await client.query(find, [name]);
  if (rowCount !== 0) await client.query(`DROP INDEX CONCURRENTLY ${name}`);
}

/** Tries a step again that did not get its locks. Batches that were done stay done. */
async function patiently(run: () => Promise<void>, { attempts = ATTEMPTS, pause = PAUSE }: MigrateOptions) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      const isBlocked = [LOCK_NOT_AVAILABLE, DEADLOCK].includes(sqlStateOf(error) ?? '');
      if (!isBlocked || attempt === attempts) throw error;
      await sleep(pause);
    }
  }
}
