import { isDeepStrictEqual } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { applyMigrations, DatabaseTooNew } from '../src/postgres/migrate.ts';
import { until } from '../testing/until.ts';
import { ask, createMigrationFixtures } from './support/migrations.ts';

const { folderOf, emptyDatabase, run, start, cleanUp } = createMigrationFixtures();
afterEach(cleanUp);

const FIRST = '20260101000000_first';
const SECOND = '20260201000000_second';
const first = { [FIRST]: 'CREATE TABLE things (id SERIAL PRIMARY KEY, name TEXT, label TEXT);' };
const withSecond = (sql: string) => folderOf({ ...first, [SECOND]: sql });

/** Updates of rows wait in `slow_down` while another session holds the advisory lock 1. */
const SLOW = `
  CREATE FUNCTION slow_down() RETURNS TEXT LANGUAGE plpgsql VOLATILE AS
    $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN 'x'; END $$;`;

const BACKFILL = `
-- migrate: batches
UPDATE things SET label = upper(name) WHERE id IN (SELECT id FROM things WHERE label IS NULL ORDER BY id LIMIT 2);
`;

async function migrated(migrations: Record<string, string> = first) {
  const { url } = await emptyDatabase();
  await applyMigrations({ connectionString: url, prismaFolder: await folderOf(migrations) });
  await ask(url, "INSERT INTO things (name) SELECT 'thing ' || n FROM generate_series(1, 5) AS n");
  return { url, migrate: (prismaFolder: string) => applyMigrations({ connectionString: url, prismaFolder }) };
}

/** A session that holds a lock until it is ended. */
async function holding(url: string, sql: string) {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN');
  await client.query(sql);
  return client;
}

const stateOf = (url: string) =>
  ask(
    url,
    `SELECT applied_steps_count AS steps, logs, finished_at IS NOT NULL AS finished FROM _prisma_migrations
      WHERE migration_name = '${SECOND}' AND rolled_back_at IS NULL`,
  );

describe('steps of a migration', () => {
  test('run as one transaction, in batches or alone, according to their markers', async () => {
    const { url, migrate } = await migrated();
    await migrate(
      await withSecond(`-- What it is for.
CREATE TABLE batches (transaction xid8, rows INT);
CREATE FUNCTION note() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO batches SELECT pg_current_xact_id(), count(*) FROM changed; RETURN NULL;
END $$;
CREATE TRIGGER note AFTER UPDATE ON things REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note();
${BACKFILL}
-- migrate: alone
CREATE INDEX CONCURRENTLY IF NOT EXISTS things_label ON things (label);
-- migrate: transaction
DROP TRIGGER note ON things;
DROP FUNCTION note;
`),
    );
    expect(await ask(url, 'SELECT rows FROM batches ORDER BY transaction')).toEqual(
      [2, 2, 1, 0].map((rows) => ({ rows })),
    );
    expect(await ask(url, 'SELECT count(DISTINCT transaction)::int AS n FROM batches')).toEqual([{ n: 4 }]);
    expect(await ask(url, 'SELECT label FROM things WHERE label <> upper(name)')).toEqual([]);
    expect(
      await ask(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'things_label'::regclass"),
    ).toEqual([{ indisvalid: true }]);
    expect(await stateOf(url)).toEqual([{ steps: 4, logs: null, finished: true }]);
  });

  test('are not repeated after their process was killed', async () => {
    const { url } = await migrated({ ...first, '20260102000000_slow': SLOW });
    const blocker = await holding(url, 'SELECT pg_advisory_xact_lock(1)');
    const prismaFolder = await folderOf({
      ...first,
      '20260102000000_slow': SLOW,
      [SECOND]: `ALTER TABLE things ADD extra TEXT;
-- migrate: batches
UPDATE things SET extra = slow_down() WHERE id IN (SELECT id FROM things WHERE extra IS NULL ORDER BY id LIMIT 2);`,
    });
    const killed = start({ DATABASE_URL: url, PRISMA_FOLDER: prismaFolder });
    const isWaiting = `SELECT 1 FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event = 'advisory' AND query LIKE '%slow_down()%'`;
    await until('its second step waits', async () => (await ask(url, isWaiting)).length === 1);
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect(await stateOf(url)).toEqual([{ steps: 1, logs: null, finished: false }]);
    await blocker.end();
    const { code, stderr } = await run({ DATABASE_URL: url, PRISMA_FOLDER: prismaFolder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(await stateOf(url)).toEqual([{ steps: 2, logs: null, finished: true }]);
    expect(await ask(url, 'SELECT DISTINCT extra FROM things')).toEqual([{ extra: 'x' }]);
  });

  test('continue after --resolve at the step that failed', async () => {
    const { url } = await migrated();
    await ask(url, "INSERT INTO things (name, label) VALUES ('a', 'twice'), ('b', 'twice')");
    const env = {
      DATABASE_URL: url,
      PRISMA_FOLDER: await withSecond(`ALTER TABLE things ADD extra TEXT;
-- migrate: alone
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS things_label ON things (label);`),
    };
    const failed = await run(env);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toBe(
      `child: The migration ${SECOND} failed: could not create unique index "things_label"\n`,
    );
    expect((await run(env)).stderr).toBe(
      `child: The migration ${SECOND} failed earlier: could not create unique index "things_label"\n` +
        `child: Remove the cause, then migrate with --resolve ${SECOND}\n`,
    );
    expect((await run(env, '--resolve', FIRST)).stderr).toBe(
      `child: There is no failed migration ${FIRST}\n`,
    );
    await ask(url, "DELETE FROM things WHERE name = 'b'");
    expect(await run(env, '--resolve', SECOND)).toEqual({
      code: 0,
      stdout: `child: applied ${SECOND}\n`,
      stderr: '',
    });
    expect(
      await ask(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'things_label'::regclass"),
    ).toEqual([{ indisvalid: true }]);
  });

  test('are refused if their file was changed meanwhile', async () => {
    const { url, migrate } = await migrated();
    const broken = `ALTER TABLE things ADD extra TEXT;\n-- migrate: transaction\nSELECT 1 / 0;`;
    await expect(migrate(await withSecond(broken))).rejects.toThrow('division by zero');
    const resolve = async (sql: string) =>
      applyMigrations({ connectionString: url, prismaFolder: await withSecond(sql), resolve: SECOND });
    await expect(resolve('ALTER TABLE things ADD another TEXT;')).rejects.toThrow(
      `The migration ${SECOND} was changed after 1 of its steps were applied`,
    );
  });

  test('wait briefly for a lock, let other statements pass, and try again', async () => {
    const { url, migrate } = await migrated();
    const reader = await holding(url, 'SELECT * FROM things');
    const migration = migrate(await withSecond('ALTER TABLE things ADD extra TEXT;'));
    const asked = `SELECT count(*)::int AS n FROM pg_locks WHERE relation = 'things'::regclass AND NOT granted`;
    const waits = async () => (await ask<{ n: number }>(url, asked))[0]?.n === 1;
    await until('it waits', waits);
    // Later statements get through while the reader still holds its lock.
    expect(await ask(url, 'SELECT count(*)::int AS n FROM things')).toEqual([{ n: 5 }]);
    await until('it waits again', waits);
    await reader.end();
    expect(await migration).toEqual([SECOND]);
  });

  test('fail with the reason if the lock is never free', async () => {
    const { url } = await migrated();
    const reader = await holding(url, 'SELECT * FROM things');
    const migration = applyMigrations({
      connectionString: url,
      prismaFolder: await withSecond('ALTER TABLE things ADD extra TEXT;'),
      attempts: 2,
      pause: 1,
    });
    await expect(migration).rejects.toThrow(
      `The migration ${SECOND} failed: canceling statement due to lock timeout`,
    );
    await reader.end();
  });
});

describe('a migration that removes what another one replaced', () => {
  const third = '20260301000000_third';
  const all = {
    ...first,
    [SECOND]: 'ALTER TABLE things ADD extra TEXT;',
    [third]: `-- migrate: contracts ${SECOND}\nALTER TABLE things DROP label;`,
  };

  test('is left to the next call, when no process of the previous release is running', async () => {
    const { migrate } = await migrated();
    const prismaFolder = await folderOf(all);
    expect(await migrate(prismaFolder)).toEqual([SECOND]);
    expect(await migrate(prismaFolder)).toEqual([third]);
    expect(await migrate(prismaFolder)).toEqual([]);
  });

  test('is applied together with the others to a new database', async () => {
    const { url } = await emptyDatabase();
    const prismaFolder = await folderOf(all);
    expect(await applyMigrations({ connectionString: url, prismaFolder })).toEqual([FIRST, SECOND, third]);
  });
});

describe('several concurrent processes', () => {
  test('apply each migration once, including indexes that are created concurrently', async () => {
    const { url } = await emptyDatabase();
    const prismaFolder = await folderOf({
      [FIRST]: first[FIRST] + SLOW,
      [SECOND]: `INSERT INTO things (name) VALUES (slow_down());
-- migrate: alone
CREATE INDEX CONCURRENTLY IF NOT EXISTS things_label ON things (label);`,
    });
    const blocker = await holding(url, 'SELECT pg_advisory_xact_lock(1)');
    const processes = [1, 2, 3, 4].map(() => run({ DATABASE_URL: url, PRISMA_FOLDER: prismaFolder }));
    const sessions = `
      SELECT count(*) FILTER (WHERE query LIKE '%slow_down()%' AND wait_event = 'advisory')::int AS migrating,
             count(*) FILTER (WHERE query LIKE 'SELECT pg_try_advisory_lock%')::int AS waiting
        FROM pg_stat_activity WHERE datname = current_database()`;
    await until('three wait for the fourth', async () =>
      isDeepStrictEqual(await ask(url, sessions), [{ migrating: 1, waiting: 3 }]),
    );
    await blocker.end();
    const ended = await Promise.all(processes);
    expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      ended.map(() => ({ code: 0, stderr: '' })),
    );
    expect(ended.map(({ stdout }) => stdout).sort()).toEqual([
      ...[1, 2, 3].map(
        () => 'child: another process migrates the database; waiting for it\nchild: nothing to migrate\n',
      ),
      `child: applied ${FIRST}, ${SECOND}\n`,
    ]);
    expect(await ask(url, 'SELECT count(*)::int AS n FROM _prisma_migrations')).toEqual([{ n: 2 }]);
  });
});

describe('a database that is newer than the code', () => {
  test.each([
    [`-- migrate: compatible with ${FIRST}\nALTER TABLE things ADD extra TEXT;`, true],
    ['-- migrate: compatible with 20260115000000_between\nALTER TABLE things ADD extra TEXT;', false],
    ['ALTER TABLE things ADD extra TEXT;', false],
  ])('is accepted if its migration is compatible with one of this code: %j', async (sql, isAccepted) => {
    const { migrate } = await migrated();
    await migrate(await withSecond(sql));
    const older = migrate(await folderOf(first));
    if (isAccepted) expect(await older).toEqual([]);
    else await expect(older).rejects.toThrow(DatabaseTooNew);
  });
});
