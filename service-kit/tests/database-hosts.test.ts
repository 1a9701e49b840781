import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isDatabaseUnavailable, wasNotDone } from '../src/postgres/database-errors.ts';
import { connectionStringsOf } from '../src/postgres/database-hosts.ts';
import { applyMigrations } from '../src/postgres/migrate.ts';
import { openDatabase } from '../src/postgres/open-database.ts';
import { onOwnConnection } from '../src/postgres/open-pool.ts';
import { ConfigError, directUrlOf } from '../src/runtime/config.ts';
import { createLogger } from '../src/runtime/logger.ts';
import { freePort } from '../testing/redis-process.ts';
import { openSlowLink, type SlowLink } from '../testing/slow-link.ts';
import { ask, createMigrationFixtures } from './support/migrations.ts';

const { emptyDatabase, folderOf, cleanUp } = createMigrationFixtures();
const logger = createLogger('test', 'silent');
let url: string;
let links: [SlowLink, SlowLink];

beforeAll(async () => {
  ({ url } = await emptyDatabase());
  const port = Number(new URL(url).port);
  links = [await openSlowLink(port), await openSlowLink(port)];
});
afterAll(async () => {
  for (const link of links) link.close();
  await cleanUp();
});

/** The address with these hosts in the place of its own. */
const withHosts = (...ports: number[]) =>
  url.replace(/@[^/]*/, `@${ports.map((port) => `127.0.0.1:${port}`).join(',')}`);
const portOf = (address: string) => Number(new URL(address).port);

async function withDatabase<T>(
  address: string,
  work: (database: ReturnType<typeof openDatabase>) => Promise<T>,
  options = {},
): Promise<T> {
  const database = openDatabase(address, 2, logger, { timeLimitFactor: 8, ...options });
  return work(database).finally(database.close);
}

describe('a connection string', () => {
  test.each([
    ['postgresql://u:p%40s@db/x', ['postgresql://u:p%40s@db/x']],
    [
      'postgres://a,b/x?sslmode=require',
      ['postgres://a/x?sslmode=require', 'postgres://b/x?sslmode=require'],
    ],
    ['postgresql://u:a,b@[::1]:5433,h:1/x', ['postgresql://u:a,b@[::1]:5433/x', 'postgresql://u:a,b@h:1/x']],
  ])('%s is read as libpq reads it', (text, expected) => {
    expect(connectionStringsOf(text)).toEqual(expected);
  });

  test('past the pooler is needed where statements are not prepared', () => {
    const behind = { DATABASE_URL: 'postgresql://pooler/x', DATABASE_PREPARED: false };
    expect(() => directUrlOf(behind)).toThrow(ConfigError);
    expect(directUrlOf({ ...behind, DATABASE_DIRECT_URL: 'postgresql://db/x' })).toBe('postgresql://db/x');
    expect(directUrlOf({ ...behind, DATABASE_PREPARED: true })).toBe('postgresql://pooler/x');
  });
});

describe('several hosts', () => {
  test('of which the first refuses connections serve every query and transaction', async () => {
    await withDatabase(withHosts(await freePort(), portOf(url)), async ({ query, transaction }) => {
      expect(await query`SELECT 1 AS one`).toEqual([{ one: 1 }]);
      expect(await transaction((step) => step`SELECT 2 AS two`)).toEqual([{ two: 2 }]);
    });
  });

  test('go on with the next one when the one in use fails, and back', async () => {
    const [first, second] = links;
    await withDatabase(withHosts(first.port, second.port), async ({ query }) => {
      const one = () => query`SELECT 1`;
      await one();
      first.sever();
      // A connection that broke a moment ago fails its next statement.
      await one().catch(() => undefined);
      await one();
      second.sever();
      first.mend();
      await one().catch(() => undefined);
      await one();
    });
    second.mend();
  });

  test('that are all unavailable fail as an unavailable database', async () => {
    await withDatabase(withHosts(await freePort(), await freePort()), async ({ query }) => {
      const error = await query`SELECT 1`.then(undefined, (reason: unknown) => reason);
      expect([isDatabaseUnavailable(error), wasNotDone(error)]).toEqual([true, true]);
    });
  });

  test('are migrated at the one that responds', async () => {
    const connectionString = withHosts(await freePort(), portOf(url));
    const prismaFolder = await folderOf({ '20260101000000_first': 'CREATE TABLE things (id INT);' });
    expect(await applyMigrations({ connectionString, prismaFolder })).toEqual(['20260101000000_first']);
  });
});

describe('a host that takes no writes', () => {
  test('is not used, and counts as an unavailable database', async () => {
    const replica = await emptyDatabase();
    await ask(
      replica.url,
      `ALTER DATABASE ${new URL(replica.url).pathname.slice(1)} SET default_transaction_read_only = on`,
    );
    const readWrite = `${replica.url}?target_session_attrs=read-write`;
    await withDatabase(readWrite, async ({ query }) => {
      const error = await query`SELECT 1`.then(undefined, (reason: unknown) => reason);
      expect(String(error)).toMatch('does not take writes');
      expect([isDatabaseUnavailable(error), wasNotDone(error)]).toEqual([true, true]);
    });
    await expect(onOwnConnection(readWrite, async () => undefined)).rejects.toThrow('does not take writes');
    await withDatabase(replica.url, async ({ query }) => {
      const error = await query`CREATE TABLE x (y INT)`.then(undefined, (reason: unknown) => reason);
      expect(isDatabaseUnavailable(error)).toBe(true);
    });
  });
});

describe('behind a pooler', () => {
  const kept = 'SELECT count(*)::int AS count FROM pg_prepared_statements';

  test('nothing is kept by name, and no time limit is sent with the connection', async () => {
    await withDatabase(
      url,
      async ({ query, transaction }) => {
        const count = await transaction(async (inside) => {
          await inside`SELECT ${1}::int`;
          return inside([kept]);
        });
        expect(count).toEqual([{ count: 0 }]);
        expect(await query`SHOW statement_timeout`).toEqual([{ statement_timeout: '0' }]);
      },
      { prepared: false },
    );
  });

  test('the same settings are in force otherwise', async () => {
    await withDatabase(url, async ({ query, transaction }) => {
      const count = await transaction(async (inside) => {
        await inside`SELECT ${1}::int`;
        return inside([kept]);
      });
      expect(count).not.toEqual([{ count: 0 }]);
      expect(await query`SHOW statement_timeout`).toEqual([{ statement_timeout: '9600ms' }]);
    });
  });

  test('migrations have no time limit, whatever the role has', async () => {
    await ask(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET statement_timeout = '1200ms'`);
    const { rows } = await onOwnConnection(url, (client) => client.query('SHOW statement_timeout'));
    expect(rows).toEqual([{ statement_timeout: '0' }]);
  });
});
