import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findProgram } from '../scripts/lib/programs.ts';
import { type ComposeDatabases, SERVICES, startComposeDatabases } from './support/compose.databases.ts';

const psql = findProgram('psql');
if (psql === undefined)
  console.warn('SKIPPED: deploy/postgres/databases.sh. It needs psql: apt-get install postgresql-client');

let databases: ComposeDatabases;
beforeAll(async () => {
  databases = await startComposeDatabases();
});
afterAll(() => databases.close());

const makeDatabases = () => databases.run('databases.sh');
const ask: ComposeDatabases['ask'] = (...query) => databases.ask(...query);

(psql === undefined ? describe.skip : describe)('deploy/postgres/databases.sh', () => {
  test('makes databases, owners and services, and gives data of an earlier release to the owner', async () => {
    await ask('postgres', `CREATE ROLE order_service LOGIN PASSWORD 'of-before'`);
    await ask('postgres', 'CREATE DATABASE order_db OWNER order_service');
    await ask('order_db', 'CREATE TABLE before (id INT)', 'order_service', 'of-before');
    await makeDatabases();
    for (const name of SERVICES) {
      const database = `${name}_db`;
      await ask(database, 'CREATE TABLE public.made (id INT)', `${name}_owner`, `${name}-owner`);
      const asService = (sql: string) => ask(database, sql, `${name}_service`, `${name}-db`);
      expect(await asService('SHOW statement_timeout')).toEqual(['1200ms']);
      await expect(asService('CREATE TABLE public.mine (id INT)')).rejects.toThrow(/permission denied/);
      await expect(asService('DROP TABLE made')).rejects.toThrow(/must be owner/);
    }
    const owners = `SELECT tablename || ' ' || tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`;
    expect(await ask('order_db', owners)).toEqual(['before order_owner', 'made order_owner']);
    expect(await ask('product_db', `SELECT extname FROM pg_extension WHERE extname = 'pg_trgm'`)).toEqual([
      'pg_trgm',
    ]);
  });

  test('lets no role into the database of another service', async () => {
    for (const name of SERVICES)
      for (const other of [...SERVICES, 'postgres'].filter((it) => it !== name)) {
        const database = other === 'postgres' ? other : `${other}_db`;
        for (const [role, password] of [
          [`${name}_owner`, `${name}-owner`],
          [`${name}_service`, `${name}-db`],
        ])
          await expect(ask(database, 'SELECT 1', role, password)).rejects.toThrow(/permission denied/);
      }
  });

  test('may run again, and sets a password that was changed', async () => {
    await writeFile(join(databases.secrets, 'user_db_password'), 'changed');
    await makeDatabases();
    expect(await ask('user_db', 'SELECT 1', 'user_service', 'changed')).toEqual([1]);
    await expect(ask('user_db', 'SELECT 1', 'user_service', 'user-db')).rejects.toThrow(/password/);
  });
});
