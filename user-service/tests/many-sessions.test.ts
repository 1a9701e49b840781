import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import request from 'supertest';
import { mailedToken } from './support/mail-links.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { me, PASSWORD, type Registered, refresh, register, registerAdmin } from './support/user.factory.ts';

let shop: TestShop;
let admin: Registered;
let client: Client;
beforeAll(async () => {
  shop = await startTestShop();
  admin = await registerAdmin(shop.app, shop.db);
  client = new Client({ connectionString: shop.databaseUrl });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await shop.close();
});

/** Far more than the current limit of 50; older accounts may have so many. */
const MANY = 2000;
/** Sessions whose rows are written, for replicas of the previous release. */
const MARKED = 100;

/** A user with so many active sessions, of which the one with these tokens was used least recently. */
async function withSessions(count: number): Promise<Registered> {
  const registered = await register(shop.app);
  await client.query(
    `INSERT INTO sessions (id, user_id, current_token_hash, expires_at, last_used_at)
     SELECT gen_random_uuid(), $1, 'many', now() + interval '1 day', now() FROM generate_series(2, $2::int)`,
    [registered.user.id, count],
  );
  await client.query(
    "UPDATE sessions SET last_used_at = now() - interval '1 minute' WHERE user_id = $1 AND current_token_hash <> 'many'",
    [registered.user.id],
  );
  return registered;
}
const countOf = async (sql: string, ...values: unknown[]) =>
  (await client.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${sql}`, values)).rows[0]?.count;
const lastChange = async () =>
  Number((await client.query('SELECT coalesce(max(id), 0) AS id FROM account_changes')).rows[0].id);

type Revoke = (user: Registered) => Promise<unknown>;
const as = ({ bearer }: Registered, call: request.Test) => call.set('Authorization', bearer);
const WAYS: [string, Revoke][] = [
  ['logout-all', (user) => as(user, request(shop.app).post('/api/users/logout-all')).expect(204)],
  [
    'the change of the password',
    (user) =>
      as(user, request(shop.app).put('/api/users/me/password'))
        .send({ current_password: PASSWORD, new_password: 'another-password' })
        .expect(200),
  ],
  [
    'the reset of the password',
    async ({ user }) =>
      request(shop.app)
        .post('/api/users/password-reset/confirm')
        .send({ token: await mailedToken(shop.db, user, 'reset_password'), new_password: 'another-password' })
        .expect(200),
  ],
  [
    'an admin',
    ({ user }) => as(admin, request(shop.app).delete(`/api/users/${user.id}/sessions`)).expect(204),
  ],
];

describe(`a user with ${MANY} sessions`, () => {
  test.each(WAYS)('loses all of them by %s, with the same work for any number', async (_way, revoke) => {
    const registered = await withSessions(MANY);
    const { id } = registered.user;
    const before = await lastChange();
    await revoke(registered);
    expect(await countOf('account_changes WHERE id > $1 AND user_id = $2', before, id)).toBe(1);
    // A session that is kept has an entry too, because its earlier tokens are revoked.
    expect(await countOf('account_changes WHERE id > $1', before)).toBeLessThanOrEqual(MARKED + 2);
    expect(await countOf('sessions WHERE user_id = $1 AND ended_at IS NOT NULL', id)).toBe(MARKED);
    await me(shop.app, registered.bearer).expect(401);
    const refused = await refresh(shop.app, registered.tokens.refresh_token).expect(401);
    expect(refused.body.code).toBe('invalid_token');
    const sessions = await as(admin, request(shop.app).get(`/api/users/${id}/sessions`)).expect(200);
    expect(sessions.body.sessions.length).toBeLessThanOrEqual(1);
  });

  test('is deleted with them; one entry revokes their tokens', async () => {
    const registered = await withSessions(MANY);
    const before = await lastChange();
    await as(registered, request(shop.app).delete(`/api/users/${registered.user.id}`)).expect(200);
    expect(await countOf('account_changes WHERE id > $1', before)).toBe(1);
    expect(await countOf("sessions WHERE current_token_hash = 'many' AND user_id IS NULL")).toBe(0);
    await me(shop.app, registered.bearer).expect(401);
    await refresh(shop.app, registered.tokens.refresh_token).expect(401);
  });

  test('keeps them when the role changes; one entry revokes the tokens of the old role', async () => {
    const registered = await withSessions(MANY);
    const { id } = registered.user;
    const before = await lastChange();
    await as(admin, request(shop.app).put(`/api/users/${id}/role`))
      .send({ role: 'admin' })
      .expect(200);
    expect(await countOf('account_changes WHERE id > $1 AND user_id = $2', before, id)).toBe(1);
    expect(await countOf('account_changes WHERE id > $1', before)).toBe(1 + MARKED);
    await me(shop.app, registered.bearer).expect(401);
    const { body } = await refresh(shop.app, registered.tokens.refresh_token).expect(200);
    await me(shop.app, `Bearer ${body.tokens.access_token}`).expect(200);
  });

  test('loses those beyond the limit at the next logins, even after all were revoked', async () => {
    const { user, bearer } = await withSessions(MANY);
    await request(shop.app).post('/api/users/logout-all').set('Authorization', bearer).expect(204);
    const body = { username: user.username, password: PASSWORD };
    for (let i = 0; i < 3; i += 1) await request(shop.app).post('/api/users/login').send(body).expect(200);
    expect(await countOf('sessions WHERE user_id = $1 AND ended_at IS NULL', user.id)).toBe(50);
    const active = await as(admin, request(shop.app).get(`/api/users/${user.id}/sessions`)).expect(200);
    expect(active.body.sessions).toHaveLength(3);
  });
});

describe('sessions revoked by one statement, as in the previous release', () => {
  const END = "UPDATE sessions SET ended_at = now(), ended_reason = 'logout_all' WHERE user_id = $1";

  test('are reported to the other services by one statement', async () => {
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

  test('are reported only if they may have a valid access token', async () => {
    const { user } = await withSessions(20);
    await client.query(
      `UPDATE sessions SET last_used_at = now() - interval '71 minutes'
        WHERE id IN (SELECT id FROM sessions WHERE user_id = $1 LIMIT 9)`,
      [user.id],
    );
    const before = await lastChange();
    await client.query(END, [user.id]);
    expect(await countOf('account_changes WHERE id > $1', before)).toBe(11);
  });

  test('are reported as fast on a connection that has revoked single sessions before', async () => {
    for (let i = 0; i < 3; i += 1) await client.query(END, [(await register(shop.app)).user.id]);
    const { user } = await withSessions(20_000);
    // A plan for one session compares each with each: 400,000,000 comparisons.
    await client.query("SET statement_timeout = '15s'");
    expect((await client.query(END, [user.id])).rowCount).toBe(20_000);
  });
});

describe('replicas of the previous release', () => {
  let registered: Registered;
  beforeEach(async () => {
    registered = await register(shop.app);
  });
  const generationOf = async (id: number) =>
    (await client.query('SELECT generation FROM users WHERE id = $1', [id])).rows[0]?.generation;

  test("start sessions in the user's generation, so that their tokens are valid", async () => {
    const { user, bearer } = registered;
    await request(shop.app).post('/api/users/logout-all').set('Authorization', bearer).expect(204);
    const { rows } = await client.query(
      `INSERT INTO sessions (id, user_id, current_token_hash, expires_at)
       VALUES (gen_random_uuid(), $1, 'old', now() + interval '1 day') RETURNING generation`,
      [user.id],
    );
    expect(rows).toEqual([{ generation: await generationOf(user.id) }]);
  });

  test("raise only the session's generation: the user's follows, so that later ones are higher", async () => {
    const { user } = registered;
    await client.query('UPDATE sessions SET generation = generation + 1 WHERE user_id = $1', [user.id]);
    expect(await generationOf(user.id)).toBe(2);
  });

  test('issue tokens with the new generation of a session after a change of role', async () => {
    const { user } = registered;
    await client.query("UPDATE users SET role = 'admin' WHERE id = $1", [user.id]);
    const { rows } = await client.query('SELECT generation FROM sessions WHERE user_id = $1', [user.id]);
    expect(rows).toEqual([{ generation: await generationOf(user.id) }]);
  });
});
