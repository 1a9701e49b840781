import { afterAll, describe, expect, test } from '@jest/globals';
import { Pool } from 'pg';
import { openDatabase } from '../src/postgres/open-database.ts';
import { createQuery, createTransaction, sql } from '../src/postgres/query.ts';
import { createLogger } from '../src/runtime/logger.ts';

const pool = new Pool({ connectionString: process.env['TEST_DATABASE_URL'], max: 1 });
const query = createQuery(pool);
afterAll(() => pool.end());

describe('a statement as a tagged template', () => {
  test('sends its values separately from the text', async () => {
    const evil = `'; DROP TABLE users; --`;
    const rows = await query<
      { text: string; ids: number[] }[]
    >`SELECT ${evil}::text AS text, ${[1, 2]}::int[] AS ids`;
    expect(rows).toEqual([{ text: evil, ids: [1, 2] }]);
  });

  test('includes fragments with their values', async () => {
    const fragment = sql`(${2}::int + ${3}::int)`;
    const rows = await query`SELECT ${1}::int AS a, ${fragment} AS b, ${4}::int AS c`;
    expect(rows).toEqual([{ a: 1, b: 5, c: 4 }]);
  });

  test('is planned once per connection', async () => {
    for (let i = 0; i < 3; i++) await query`SELECT ${i}::int AS planned_once`;
    const prepared =
      await query`SELECT count(*)::int AS count FROM pg_prepared_statements WHERE statement LIKE '%planned_once%'`;
    expect(prepared).toEqual([{ count: 2 }]);
  });
});

describe('an unprepared statement', () => {
  const unprepared = createQuery(pool, false);

  test('sends its values separately too, and is not kept in the session', async () => {
    const fragment = { strings: ['', '::int + 1'], values: [2] };
    for (let i = 0; i < 3; i++)
      expect(await unprepared`SELECT ${'a'} AS not_kept, ${fragment} AS b`).toEqual([
        { not_kept: 'a', b: 3 },
      ]);
    const prepared =
      await unprepared`SELECT count(*)::int AS count FROM pg_prepared_statements WHERE statement LIKE '%not_kept%'`;
    expect(prepared).toEqual([{ count: 0 }]);
  });

  test('is planned for its values each time', async () => {
    const expected = async (limit: number) => {
      const [row] = await unprepared<
        [{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }]
      >`EXPLAIN (FORMAT JSON) SELECT FROM generate_series(1, ${limit}::int)`;
      return row['QUERY PLAN'][0].Plan['Plan Rows'];
    };
    for (let i = 1; i <= 10; i++) expect(await expected(i)).toBe(i);
  });
});

describe('a transaction', () => {
  const transaction = createTransaction(pool);
  const TABLE = `transactions_${process.pid}`;
  const rows = async () => (await pool.query(`SELECT name FROM ${TABLE} ORDER BY name`)).rows;

  test('is committed and returns the result if the work resolves, and is rolled back if it rejects', async () => {
    await pool.query(`CREATE TABLE ${TABLE} (name TEXT UNIQUE)`);
    try {
      expect(await transaction((query) => query`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
      await transaction(async (query) => {
        await query([`INSERT INTO ${TABLE} VALUES ('kept')`]);
        await query([`INSERT INTO ${TABLE} VALUES ('kept too')`]);
      });
      const undone = transaction(async (query) => {
        await query([`INSERT INTO ${TABLE} VALUES ('undone')`]);
        throw new Error('no');
      });
      await expect(undone).rejects.toThrow('no');
      const refused = transaction(async (query) => {
        await query([`INSERT INTO ${TABLE} VALUES ('undone too')`]);
        await query([`INSERT INTO ${TABLE} VALUES ('kept')`]);
      });
      await expect(refused).rejects.toMatchObject({ code: '23505' });
      expect(await rows()).toEqual([{ name: 'kept' }, { name: 'kept too' }]);
    } finally {
      await pool.query(`DROP TABLE ${TABLE}`);
    }
  });
});

describe('a database', () => {
  test('recovers after the server has closed its connections', async () => {
    const database = openDatabase(process.env['TEST_DATABASE_URL'] ?? '', 2, createLogger('test', 'silent'));
    const [own] = await database.query<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    await pool.query('SELECT pg_terminate_backend($1)', [own?.pid]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await database.query`SELECT 1 AS one`).toEqual([{ one: 1 }]);
    await database.close();
  });
});
