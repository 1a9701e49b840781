import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { me, type Registered, register } from './support/user.factory.ts';

let shop: TestShop;
let client: Client;
beforeAll(async () => {
  shop = await startTestShop();
  client = new Client({ connectionString: shop.databaseUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await shop.close();
});

/** A user with so many living sessions, as accounts from before the bound of 50 may have. */
async function withSessions(count: number, lastUsed = '0 minutes'): Promise<Registered> {
  const registered = await register(shop.app);
  await client.query(
    `INSERT INTO sessions (id, user_id, current_token_hash, expires_at, last_used_at)
     SELECT gen_random_uuid(), $1, 'many', now() + interval '1 day', now() - $3::interval
       FROM generate_series(2, $2::int)`,
    [registered.user.id, count, lastUsed],
  );
  return registered;
}
const END = "UPDATE sessions SET ended_at = now(), ended_reason = 'logout_all' WHERE user_id = $1";

describe('a user with 60,000 sessions', () => {
  test('signs out of all of them; only those that may have a token that lives are noted for the services', async () => {
    const { user, bearer } = await withSessions(60_000, '71 minutes');
    await client.query(
      `UPDATE sessions SET last_used_at = now() - interval '59 minutes' WHERE id IN
         (SELECT id FROM sessions WHERE user_id = $1 AND current_token_hash = 'many' LIMIT 9)`,
      [user.id],
    );
    await request(shop.app).post('/api/users/logout-all').set('Authorization', bearer).expect(204);
    expect(await shop.db.session.count({ where: { userId: user.id, endedAt: null } })).toBe(0);
    await me(shop.app, bearer).expect(401);
    const noted = await client.query(
      `SELECT count(*)::int FROM account_changes
        WHERE void_below IS NULL AND session_id IN (SELECT id FROM sessions WHERE user_id = $1)`,
      [user.id],
    );
    expect(noted.rows).toEqual([{ count: 10 }]);
  }, 60_000);

  test('is noted for the other services by one statement', async () => {
    const { user } = await withSessions(500);
    await client.query('BEGIN');
    await client.query(END, [user.id]);
    const { rows } = await client.query(
      `SELECT count(*)::int AS changes, count(DISTINCT cmin::text)::int AS statements
         FROM account_changes WHERE number IS NULL AND xmin = pg_current_xact_id()::xid`,
    );
    await client.query('ROLLBACK');
    expect(rows).toEqual([{ changes: 500, statements: 1 }]);
  });

  test('is no slower on a connection that has ended single sessions before', async () => {
    for (let i = 0; i < 3; i += 1) await client.query(END, [(await register(shop.app)).user.id]);
    const { user } = await withSessions(20_000);
    // A plan for one session compares each with each: 400,000,000 comparisons.
    await client.query("SET statement_timeout = '15s'");
    expect((await client.query(END, [user.id])).rowCount).toBe(20_000);
  }, 60_000);
});
