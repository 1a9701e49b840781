import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg';
import { Client, Pool } from 'pg';

/** Node has it, its type package of this major does not name it. */
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: object,
  ): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

/** Any number; all migrations of one database wait for each other on it. */
const MIGRATION_LOCK = 7_263_001;

/** The database has migrations that this version of the code does not know. */
export class DatabaseTooNew extends Error {}

interface MigrateOptions {
  connectionString: string;
  /** The service's `prisma` folder: `schema.prisma` and `migrations/`. */
  prismaFolder: string;
}

/**
 * Applies what is missing of Prisma Migrate's migrations, by Prisma's own schema engine as WebAssembly, so that
 * neither Prisma's CLI nor a downloaded engine is needed. Several processes may call it at once.
 * @returns the names of the migrations that were applied now
 * @throws DatabaseTooNew when the database was migrated by newer code
 */
export async function applyMigrations({ connectionString, prismaFolder }: MigrateOptions): Promise<string[]> {
  const lock = new Client({ connectionString, connectionTimeoutMillis: 5000 });
  const pool = new Pool({ connectionString, connectionTimeoutMillis: 5000 });
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const folder = join(prismaFolder, 'migrations');
    const names = await migrationNames(folder);
    await refuseNewerDatabase(lock, names);
    const adapter = bindMigrationAwareSqlAdapterFactory(wholeScripts(pool));
    const engine = await openEngine(adapter, await readFile(join(prismaFolder, 'schema.prisma'), 'utf8'));
    const migrationDirectories = await Promise.all(names.map((name) => readMigration(folder, name)));
    const { appliedMigrationNames } = await engine
      .applyMigrations({
        migrationsList: {
          baseDir: folder,
          lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
          shadowDbInitScript: '',
          migrationDirectories,
        },
        filters: { externalTables: [], externalEnums: [] },
      })
      .catch((error: Error) => {
        throw withReason(error, adapter);
      });
    return appliedMigrationNames;
  } finally {
    await Promise.all([lock.end(), pool.end()]);
  }
}

async function migrationNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
}

async function readMigration(folder: string, name: string) {
  const value = await readFile(join(folder, name, 'migration.sql'), 'utf8');
  return { path: name, migrationFile: { path: 'migration.sql', content: { tag: 'ok' as const, value } } };
}

async function refuseNewerDatabase(client: Client, known: string[]) {
  const table = await client.query<{ found: string | null }>(
    "SELECT to_regclass('_prisma_migrations') AS found",
  );
  if (table.rows[0]?.found == null) return;
  const applied = await client.query<{ name: string }>(
    'SELECT migration_name AS name FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  const unknown = applied.rows.filter((row) => !known.includes(row.name));
  if (unknown.length > 0) {
    throw new DatabaseTooNew(
      `The database is newer than this code: it has the migration ${unknown[0]?.name}`,
    );
  }
}

type Adapter = ReturnType<typeof bindMigrationAwareSqlAdapterFactory>;

/** The engine tells of the database's errors only under which number the adapter keeps them. */
function withReason(error: Error, { errorRegistry }: Adapter): Error {
  const id = /External error id#(\d+)/.exec(error.message)?.[1];
  const kept = id === undefined ? undefined : errorRegistry.consumeError(Number(id))?.error;
  if (kept === undefined) return error;
  const migration = /migration_name="([^"]+)"/.exec(error.message)?.[1];
  return new Error(`The migration ${migration} failed: ${(kept as Error).message}`, { cause: kept });
}

async function openEngine(adapter: Adapter, schema: string) {
  loading ??= loadEngine();
  await loading;
  return engineModule.SchemaEngine.new({ datamodels: [['schema.prisma', schema]] }, () => undefined, adapter);
}

/** Once per process: the engine's bindings are one module, and a second instance behind them breaks the first. */
let loading: Promise<void> | undefined;

async function loadEngine(): Promise<void> {
  const packageFolder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
  const bytes = await readFile(join(packageFolder, 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, {
    './schema_engine_bg.js': withoutLingeringTimers(),
  });
  engineModule.__wbg_set_wasm(instance.exports);
  (instance.exports['__wbindgen_start'] as () => void)();
}

/** The engine leaves a timer of 10 s behind, which would keep a process that is done. */
function withoutLingeringTimers(): Record<string, unknown> {
  const setTimer = (callback: () => void, milliseconds: number) => setTimeout(callback, milliseconds).unref();
  return Object.fromEntries(
    Object.entries(engineModule).map(([name, value]) => [
      name,
      name.startsWith('__wbg_setTimeout_') ? setTimer : value,
    ]),
  );
}

/**
 * Prisma's adapter cuts a script at every semicolon, also those in comments and function bodies. Here a migration is
 * sent as it is, which Postgres runs in one transaction: all of it or nothing.
 */
function wholeScripts(pool: Pool): SqlMigrationAwareDriverAdapterFactory {
  const factory = new PrismaPg(pool);
  const connect = async () => {
    const adapter = await factory.connect();
    adapter.executeScript = async (script) => void (await pool.query(script));
    return adapter;
  };
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect,
    connectToShadowDb: () => factory.connectToShadowDb(),
  };
}
