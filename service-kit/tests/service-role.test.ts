import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { migrateDatabase } from '../src/postgres/migrate-database.ts';
import { grantToService } from '../src/postgres/service-role.ts';
import { ask, createMigrationFixtures } from './support/migrations.ts';

const { folderOf, emptyDatabase, run, cleanUp } = createMigrationFixtures();
const role = `kit_service_${process.pid}`;
const ledger = { '20260101000000_ledger': 'CREATE TABLE ledger (id SERIAL PRIMARY KEY)' };
const more = { ...ledger, '20260201000000_things': 'CREATE TABLE things (id SERIAL PRIMARY KEY, name TEXT)' };

let owner: string;
let service: string;
beforeAll(async () => {
  owner = (await emptyDatabase()).url;
  await ask(owner, `CREATE ROLE ${role} LOGIN PASSWORD 'of-the-tests'`);
  service = Object.assign(new URL(owner), { username: role, password: 'of-the-tests' }).toString();
  for (const migrations of [ledger, more])
    await migrateDatabase({
      connectionString: owner,
      prismaFolder: await folderOf(migrations),
      serviceRole: { role, appendOnly: ['ledger'] },
    });
});
afterAll(async () => {
  await ask(owner, `DROP OWNED BY ${role}`);
  await ask(owner, `DROP ROLE ${role}`);
  await cleanUp();
});

const DENIED = { code: '42501' };

describe('the role of a service', () => {
  test('reads and writes rows, of later migrations too', async () => {
    await ask(service, `INSERT INTO things (name) VALUES ('one'), ('two')`);
    await ask(service, `UPDATE things SET name = 'three' WHERE name = 'two'`);
    await ask(service, `DELETE FROM things WHERE name = 'one'`);
    expect(await ask(service, 'SELECT name FROM things')).toEqual([{ name: 'three' }]);
    expect(await ask(service, 'INSERT INTO ledger DEFAULT VALUES RETURNING id')).toEqual([{ id: 1 }]);
  });

  test.each([
    ['UPDATE ledger SET id = 2'],
    ['DELETE FROM ledger'],
    ['TRUNCATE ledger'],
    ['CREATE TABLE mine ()'],
    ['DROP TABLE things'],
    ['DELETE FROM _prisma_migrations'],
    ['DELETE FROM graphile_worker.migrations'],
  ])('may not %s', async (sql) => {
    await expect(ask(service, sql)).rejects.toMatchObject(DENIED);
  });

  test('adds jobs, and sees those that others added', async () => {
    await ask(owner, `SELECT jobs.add('of_owner')`);
    await ask(service, `SELECT jobs.add('of_service')`);
    expect(
      await ask(service, 'SELECT task_identifier AS task FROM graphile_worker.jobs ORDER BY id'),
    ).toEqual([{ task: 'of_owner' }, { task: 'of_service' }]);
  });

  test('is granted what it needs by the migration process', async () => {
    const prismaFolder = await folderOf({
      ...more,
      '20260301000000_last': 'CREATE TABLE last (id SERIAL PRIMARY KEY)',
    });
    const env = { DATABASE_URL: owner, PRISMA_FOLDER: prismaFolder, DATABASE_SERVICE_ROLE: role };
    expect(await run(env)).toMatchObject({ code: 0 });
    expect(await ask(service, 'INSERT INTO last DEFAULT VALUES RETURNING id')).toEqual([{ id: 1 }]);
  });

  test('must be there', async () => {
    const granted = grantToService(owner, { role: 'nobody_at_all', appendOnly: [] });
    await expect(granted).rejects.toThrow('nobody_at_all');
  });
});
