import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { findProgram } from '../scripts/lib/programs.js';
import { type OwnPostgres, startOwnPostgres } from './support/postgres.ts';

const SCRIPT = fileURLToPath(new URL('../deploy/postgres/databases.sh', import.meta.url));
const SERVICES = ['user', 'product', 'order'];
const psql = findProgram('psql');
if (psql === undefined)
  console.warn('SKIPPED: deploy/postgres/databases.sh. It needs psql: apt-get install postgresql-client');

let folder: string;
let postgres: OwnPostgres;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shop-databases-'));
  postgres = await startOwnPostgres();
  await writeFile(join(folder, 'postgres_password'), new URL(postgres.url).password);
  for (const name of SERVICES)
    for (const role of ['owner', 'db'])
      await writeFile(join(folder, `${name}_${role}_password`), `${name}-${role}`);
});
afterAll(async () => {
  await postgres.close();
  await rm(folder, { recursive: true, force: true });
});

const makeDatabases = () =>
  promisify(execFile)('bash', [SCRIPT], {
    env: {
      PATH: process.env['PATH'] ?? '',
      SECRETS_FOLDER: folder,
      PGHOST: '127.0.0.1',
      PGPORT: new URL(postgres.url).port,
    },
  });

async function ask(database: string, sql: string, username?: string, password = '') {
  const url = Object.assign(new URL(postgres.url), { pathname: `/${database}` });
  const client = new Client({
    connectionString: Object.assign(url, username === undefined ? {} : { username, password }).href,
  });
  await client.connect();
  return (await client.query({ text: sql, rowMode: 'array' }).finally(() => client.end())).rows.flat();
}

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
    await writeFile(join(folder, 'user_db_password'), 'changed');
    await makeDatabases();
    expect(await ask('user_db', 'SELECT 1', 'user_service', 'changed')).toEqual([1]);
    await expect(ask('user_db', 'SELECT 1', 'user_service', 'user-db')).rejects.toThrow(/password/);
  });
});
