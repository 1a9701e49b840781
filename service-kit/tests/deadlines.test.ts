import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { remainingTime, withinTime, withOwnTime } from '../src/deadline/deadline.ts';
import { OutOfTime } from '../src/errors/http-errors.ts';
import { isDatabaseUnavailable, wasNotDone } from '../src/postgres/database-errors.ts';
import { type Database, openDatabase } from '../src/postgres/open-database.ts';
import { createLogger } from '../src/runtime/logger.ts';
import { openSlowLink, type SlowLink, throughLink } from '../testing/slow-link.ts';

const url = process.env['TEST_DATABASE_URL'] ?? '';
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a slow database', () => {
  let link: SlowLink;
  let database: Database;
  beforeAll(async () => {
    link = await openSlowLink(Number(new URL(url).port));
    database = openDatabase(throughLink(url, link), 1, createLogger('test', 'silent'));
  });
  afterAll(async () => {
    await database.close();
    link.close();
  });

  test('delays work of many statements no longer than its deadline', async () => {
    await database.query`SELECT 1`;
    link.slowDown(300);
    let done = 0;
    const error = await failureOf(
      withinTime(1000, async () => {
        for (; done < 30; done++) await database.query`SELECT 1`;
      }),
    );
    link.slowDown(0);
    expect(isDatabaseUnavailable(error)).toBe(true);
    expect(done).toBeLessThanOrEqual(3);
  });

  test('receives no further statement of work past its deadline', async () => {
    const begun = withinTime(0, () => failureOf(database.query`SELECT 1`));
    const transaction = withinTime(0, () => failureOf(database.transaction((query) => query`SELECT 1`)));
    const later = failureOf(database.transaction((query) => withinTime(0, () => query`SELECT 1`)));
    for (const error of [await begun, await transaction, await later]) {
      expect(error).toBeInstanceOf(OutOfTime);
      expect([isDatabaseUnavailable(error), wasNotDone(error)]).toEqual([true, true]);
    }
  });

  test('does not keep work waiting for a connection past its deadline', async () => {
    const holder = await database.pool.connect();
    await holder.query('BEGIN');
    const waiting = [
      withinTime(50, () => failureOf(database.query`SELECT 1`)),
      withinTime(50, () => failureOf(database.transaction((query) => query`SELECT 1`))),
    ];
    for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(OutOfTime);
    await withinTime(0, () => holder.query('ROLLBACK'));
    holder.release();
    expect(await database.query`SELECT 1 AS one`).toEqual([{ one: 1 }]);
  });

  test('limits a statement by its own deadline, not by that of the previous user of the connection', async () => {
    const holder = await withinTime(300, () => database.pool.connect());
    await holder.query('BEGIN');
    const next = withinTime(60_000, () => database.query`SELECT 1 AS one`);
    const last = database.query`SELECT 2 AS two`;
    await new Promise((resolve) => setTimeout(resolve, 350));
    await withinTime(0, async () => {
      await holder.query('ROLLBACK');
      holder.release();
    });
    expect([await next, await last]).toEqual([[{ one: 1 }], [{ two: 2 }]]);
  });

  test('does not limit work without a deadline beyond the settings of the pool', async () => {
    expect(remainingTime()).toBeUndefined();
    expect(withinTime(50, () => withinTime(1000, () => remainingTime() ?? 0))).toBeLessThanOrEqual(50);
    expect(withinTime(50, () => withOwnTime(1000, () => remainingTime() ?? 0))).toBeGreaterThan(500);
  });
});
