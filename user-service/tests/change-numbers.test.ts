import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Database, openDatabase } from '@shop/service-kit/postgres/open-database';
import { createLogger } from '@shop/service-kit/runtime/logger';
import {
  createTestDatabase,
  TEST_TIME_LIMIT_FACTOR,
  type TestDatabase,
} from '@shop/service-kit/testing/test-database';
import { until } from '@shop/service-kit/testing/until';
import { Client } from 'pg';
import { createChangesRepository } from '../src/accounts/changes.repository.ts';

const PRISMA_FOLDER = fileURLToPath(new URL('../prisma', import.meta.url));

// A database without a service, whose own reader would number changes too.
let testing: TestDatabase;
let database: Database;
const open: Client[] = [];
beforeAll(async () => {
  testing = await createTestDatabase({ name: 'user', prismaFolder: PRISMA_FOLDER });
  database = openDatabase(testing.url, 4, createLogger('user-service', 'silent'), {
    timeLimitFactor: TEST_TIME_LIMIT_FACTOR,
  });
});
afterAll(async () => {
  await Promise.all(open.map((client) => client.end()));
  await database.close();
  await testing.drop();
});

async function connect(): Promise<Client> {
  const client = new Client({ connectionString: testing.url });
  open.push(client);
  await client.connect();
  return client;
}

/** Inserts changes. @returns their sessions */
async function insert(client: Client, count = 1): Promise<string[]> {
  const { rows } = await client.query<{ session_id: string }>(
    `INSERT INTO account_changes (type, session_id) SELECT 'session', gen_random_uuid() FROM generate_series(1, $1)
     RETURNING session_id`,
    [count],
  );
  return rows.map(({ session_id }) => session_id);
}

test('a change whose commit was late gets no number below one that a reader has passed', async () => {
  const { readChanges } = createChangesRepository(database.query);
  const [late, holder, lastHolder, other] = await Promise.all([connect(), connect(), connect(), connect()]);
  const hold = async (client: Client, sessions: string[]) => {
    await client.query('BEGIN');
    // As a new version of the row, for which a reader that waits then takes a new number.
    await client.query('UPDATE account_changes SET void_below = 1 WHERE session_id = ANY ($1)', [sessions]);
  };
  const isWaiting = (count: number) =>
    until(`${count} readers wait`, async () => {
      const sql = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      return (await other.query(sql)).rows.length === count;
    });

  // The first reader waits for a row, and does not see the late changes. The second one sees them, and reaches some of them
  // before it waits too, in whatever order it takes the rows.
  await late.query('BEGIN');
  const lateSessions = await insert(late, 100);
  const held = await insert(other);
  await hold(holder, held);
  const first = readChanges('0');
  await isWaiting(1);
  const lastHeld = await insert(other);
  await hold(lastHolder, lastHeld);
  lateSessions.push(...(await insert(late, 100)));
  await late.query('COMMIT');
  const second = readChanges('0');
  await isWaiting(2);
  await holder.query('COMMIT');
  const early = await first;
  await lastHolder.query('COMMIT');
  await second;

  const rest = await readChanges(early.next);
  const seen = JSON.stringify([...early.changes, ...rest.changes]);
  const written = [...lateSessions, ...held, ...lastHeld];
  expect(written.filter((session) => !seen.includes(session))).toEqual([]);
});
