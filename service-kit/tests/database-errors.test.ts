import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Pool, type PoolClient } from 'pg';
import {
  isDatabaseUnavailable,
  isUniqueViolation,
  sqlStateOf,
  wasNotDone,
  wasRolledBack,
} from '../src/postgres/database-errors.ts';
import { poolSettings } from '../src/postgres/pool-settings.ts';

const url = process.env['TEST_DATABASE_URL'] ?? '';
const TABLE = `(id INT PRIMARY KEY, sku TEXT CONSTRAINT things_sku UNIQUE, stock INT CONSTRAINT stock_positive CHECK (stock >= 0))`;
const pool = new Pool(poolSettings(url, 2));
pool.on('error', () => undefined);
let client: PoolClient;
beforeAll(async () => {
  client = await pool.connect();
  await client.query(`CREATE TEMP TABLE things ${TABLE}`);
  await client.query(`INSERT INTO things VALUES (1, 'A', 0)`);
});
afterAll(async () => {
  client.release();
  await pool.end();
});

const failureOf = async (act: Promise<unknown>): Promise<unknown> =>
  act.then(
    () => {
      throw new Error('nothing failed');
    },
    (error: unknown) => error,
  );
const failing = (sql: string) => failureOf(client.query(sql));

describe('a failure', () => {
  test('of a unique index is recognised, with the name of the index', async () => {
    const error = await failing(`INSERT INTO things VALUES (2, 'A', 0)`);
    expect(sqlStateOf(error)).toBe('23505');
    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(error, 'things_sku')).toBe(true);
    expect(isUniqueViolation(error, 'things_pkey')).toBe(false);
    expect(isDatabaseUnavailable(error)).toBe(false);
  });

  test('of a check constraint is recognised', async () => {
    const error = await failing('UPDATE things SET stock = -1');
    expect(sqlStateOf(error)).toBe('23514');
    expect([isUniqueViolation(error), isDatabaseUnavailable(error)]).toEqual([false, false]);
  });

  test('by an invalid statement does not count as an unavailable database', async () => {
    const error = await failing('SELECT nonsense');
    expect(sqlStateOf(error)).toBe('42703');
    expect(isDatabaseUnavailable(error)).toBe(false);
  });

  test('by a statement timeout counts as an unavailable database', async () => {
    expect(isDatabaseUnavailable(await failing('SELECT pg_sleep(5)'))).toBe(true);
  });
});

describe('an unavailable database', () => {
  test.each([
    ['the connection is refused', 'postgres://nobody@127.0.0.1:1/none'],
    ['the host does not respond in time', 'postgres://nobody@192.0.2.1:5432/none'],
  ])('is recognised when %s', async (_how, address) => {
    const away = new Pool(poolSettings(address, 1));
    expect(isDatabaseUnavailable(await failureOf(away.query('SELECT 1')))).toBe(true);
    await away.end();
  });

  test('is recognised when all connections are busy', async () => {
    const busy = new Pool(poolSettings(url, 1));
    const only = await busy.connect();
    expect(isDatabaseUnavailable(await failureOf(busy.query('SELECT 1')))).toBe(true);
    only.release();
    await busy.end();
  });

  test('is recognised when it cuts the connection', async () => {
    const victim = await pool.connect();
    victim.on('error', () => undefined);
    const { rows } = await victim.query('SELECT pg_backend_pid() AS pid');
    const failure = failureOf(victim.query('SELECT pg_sleep(1)'));
    await client.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    expect(isDatabaseUnavailable(await failure)).toBe(true);
    expect(isDatabaseUnavailable(await failureOf(victim.query('SELECT 1')))).toBe(true);
    victim.release(true);
  });
});

describe('any other error', () => {
  test.each([
    ['a pipe broke', { code: 'EPIPE' }],
    ['a deadlock was found', { code: '40P01' }],
    ['a lock timed out', { code: '55P03' }],
  ])('is absence when %s', (_how, error) => expect(isDatabaseUnavailable(error)).toBe(true));

  test.each([
    ['a statement raised it', { code: 'P0001', message: 'timeless' }],
    ['it is none of a database', new Error('something else')],
    ['it is a text', 'Connection terminated'],
    ['it is nothing', null],
    ['it is undefined', undefined],
    ['its code is a number', { code: 7 }],
  ])('does not count as an unavailable database when %s', (_how, error) =>
    expect(isDatabaseUnavailable(error)).toBe(false),
  );

  test('has no SQLSTATE', () => {
    expect([null, undefined, 'x', { code: 'EPIPE' }].map(sqlStateOf)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

test.each([
  // Both: the statement had no effect, and it may succeed when it is repeated.
  ['40P01', true, true],
  ['40001', true, true],
  ['55P03', true, true],
  ['57014', true, true],
  ['53300', true, true],
  // Without effect, and refused again when it is repeated.
  ['23505', true, false],
  ['22003', true, false],
  // The commit may have happened before.
  ['08006', false, false],
  ['57P01', false, false],
  ['57P02', false, false],
])('after %s a statement was rolled back: %s, and is repeated: %s', (code, rolledBack, repeated) => {
  const error = Object.assign(new Error('a failure'), { code });
  expect([wasRolledBack(error), wasNotDone(error)]).toEqual([rolledBack, repeated]);
});
