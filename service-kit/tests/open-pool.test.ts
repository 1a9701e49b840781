import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Pool } from 'pg';
import { withinTime } from '../src/deadline/deadline.ts';
import { OutOfTime } from '../src/errors/http-errors.ts';
import { type Database, openDatabase } from '../src/postgres/open-database.ts';
import { openPool } from '../src/postgres/open-pool.ts';
import { poolSettings } from '../src/postgres/pool-settings.ts';
import { createQuery, createTransaction } from '../src/postgres/query.ts';
import { createLogger } from '../src/runtime/logger.ts';
import { openSlowLink, type SlowLink, throughLink } from '../testing/slow-link.ts';

const url = process.env['TEST_DATABASE_URL'] ?? '';
const TABLE = 'entries_of_open_pool_test';
const direct = new Pool({ connectionString: url, max: 1 });
const stored = async () => (await direct.query(`SELECT entry FROM ${TABLE} ORDER BY entry`)).rows;

let link: SlowLink;
let database: Database;

beforeAll(async () => {
  link = await openSlowLink(Number(new URL(url).port));
  await direct.query(`DROP TABLE IF EXISTS ${TABLE}`);
  await direct.query(`CREATE TABLE ${TABLE} (entry TEXT)`);
});
beforeEach(async () => {
  await direct.query(`TRUNCATE ${TABLE}`);
  database = openDatabase(throughLink(url, link), 1, createLogger('test', 'silent'));
});
afterEach(() => database.close());
afterAll(async () => {
  await direct.query(`DROP TABLE ${TABLE}`);
  await direct.end();
  link.close();
});

/** A transaction whose last statement gets no response in time. */
async function abandonedTransaction(stall: (pid: number) => unknown): Promise<void> {
  const abandoned = database.transaction(async (query) => {
    const [row] = await query<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    await query`INSERT INTO entries_of_open_pool_test VALUES ('abandoned')`;
    await stall(row?.pid ?? 0);
    await query`SELECT 1`;
  });
  await expect(abandoned).rejects.toThrow();
}

describe('a transaction that is abandoned without a response', () => {
  test('is not joined by another request when responses are late', async () => {
    await abandonedTransaction(() => link.slowDown(3500));
    link.slowDown(0);
    await database.query`INSERT INTO entries_of_open_pool_test VALUES ('next')`;
    expect(await stored()).toEqual([{ entry: 'next' }]);
  });

  test('is not joined by another request when its backend is paused', async () => {
    let paused = 0;
    await abandonedTransaction((pid) => {
      paused = pid;
      process.kill(pid, 'SIGSTOP');
    });
    try {
      await database.query`INSERT INTO entries_of_open_pool_test VALUES ('next')`;
      expect(await stored()).toEqual([{ entry: 'next' }]);
    } finally {
      process.kill(paused, 'SIGCONT');
    }
    await direct.query('SELECT pg_sleep(0.2)');
    expect(await stored()).toEqual([{ entry: 'next' }]);
  });
});

test('a transaction out of time does not wait long for a rollback without a response', async () => {
  const settings = { ...poolSettings(throughLink(url, link), 1), query_timeout: 20_000 };
  const pool = openPool(settings);
  pool.on('error', () => undefined);
  const transaction = createTransaction(pool);
  let paused = 0;
  const late = withinTime(300, () =>
    transaction(async (query) => {
      paused = (await query<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`)[0]?.pid ?? 0;
      process.kill(paused, 'SIGSTOP');
      await query`SELECT 1`;
    }),
  );
  let isLong = false;
  const timer = setTimeout(() => {
    isLong = true;
  }, settings.query_timeout * 0.75);
  await expect(late.finally(() => process.kill(paused, 'SIGCONT'))).rejects.toThrow();
  expect(isLong).toBe(false);
  clearTimeout(timer);
  await pool.end();
});

test('a connection that is lost inside a transaction fails the next statement, and nothing else', async () => {
  const lost = database.transaction(async (query) => {
    const [row] = await query<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    await direct.query('SELECT pg_terminate_backend($1)', [row?.pid]);
    // Its event arrives while nothing is under way.
    await sleep(100);
    await query`SELECT 1`;
  });
  await expect(lost).rejects.toThrow(/Connection terminated|terminating connection|not queryable/);
  expect(await database.query`SELECT 1 AS one`).toEqual([{ one: 1 }]);
});

describe('a connection that is released', () => {
  const backend = async () =>
    (await database.query<[{ pid: number }]>`SELECT pg_backend_pid() AS pid`)[0].pid;

  test('inside a transaction is closed', async () => {
    const before = await backend();
    const client = await database.pool.connect();
    await client.query('BEGIN');
    client.release();
    expect(await backend()).not.toBe(before);
  });

  test('after its transaction is kept', async () => {
    await database.close();
    // A rollback that takes longer than a tenth of a statement's limit would close the connection.
    const options = { timeLimitFactor: 8 };
    database = openDatabase(throughLink(url, link), 1, createLogger('test', 'silent'), options);
    const before = await backend();
    await expect(database.transaction((query) => query`SELECT nonsense`)).rejects.toThrow();
    expect(await backend()).toBe(before);
  });

  test('after a failed statement is kept', async () => {
    const before = await backend();
    await expect(database.query`SELECT nonsense`).rejects.toThrow('nonsense');
    expect(await backend()).toBe(before);
  });
});

describe('a connection that takes longer to open than a request may wait', () => {
  test('is kept for a later request', async () => {
    const connected = jest.fn();
    const pool = openPool(poolSettings(throughLink(url, link), 1)).on('connect', connected);
    const query = createQuery(pool);
    // A connection needs three responses, so that it takes more than a second.
    link.slowDown(400);
    for (let request = 0; request < 3; request += 1)
      await expect(withinTime(100, () => query`SELECT 1`)).rejects.toThrow(OutOfTime);
    expect(await query`SELECT 1 AS one`).toEqual([{ one: 1 }]);
    expect(connected).toHaveBeenCalledTimes(1);
    link.slowDown(0);
    await pool.end();
  });
});
