import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AccountChange } from '@shop/service-kit/accounts/account-changes';
import { TEST_SERVICE_SECRET } from '@shop/service-kit/testing/test-tokens';
import { until } from '@shop/service-kit/testing/until';
import { createServiceTokenSigner } from '@shop/service-kit/tokens/service-token';
import { Client } from 'pg';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import {
  logIn,
  me,
  PASSWORD,
  type Registered,
  refresh,
  register,
  registerAdmin,
} from './support/user.factory.ts';

let shop: TestShop;
let admin: Registered;
const open: Client[] = [];
beforeAll(async () => {
  shop = await startTestShop();
  admin = await registerAdmin(shop.app, shop.db);
});
afterAll(async () => {
  await Promise.all(open.map((client) => client.end()));
  await shop.close();
});

const token = createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', 'user-service');
const read = async (after?: string) => {
  const response = await request(shop.app)
    .get('/internal/accounts/changes')
    .query(after === undefined ? {} : { after })
    .set('Authorization', `Bearer ${token()}`)
    .expect(200);
  return response.body as { changes: AccountChange[]; next: string; more: boolean; now: number };
};
/** All pages after the cursor. */
async function readAll(after?: string) {
  const changes: AccountChange[] = [];
  for (let cursor = after; ; ) {
    const page = await read(cursor);
    changes.push(...page.changes);
    cursor = page.next;
    if (!page.more) return { changes, next: cursor };
  }
}
const sessionsIn = (changes: AccountChange[]) =>
  changes.flatMap((change) => (change.type === 'session' ? [change.session_id] : []));
const sessionOf = async ({ user }: Registered) =>
  (await shop.db.session.findFirstOrThrow({ where: { userId: user.id } })).id;
const transaction = async () => {
  const client = new Client({ connectionString: shop.databaseUrl });
  open.push(client);
  await client.connect();
  await client.query('BEGIN');
  return client;
};
const endIn = (client: Client, session: string) =>
  client.query('UPDATE sessions SET ended_at = clock_timestamp() WHERE id = $1', [session]);
/** Inserts so many changes with the same time in one statement. */
const insertAtOnce = (count: number) =>
  shop.db.$executeRaw`
    INSERT INTO account_changes (type, session_id, changed_at)
    SELECT 'session', gen_random_uuid(), now() FROM generate_series(1, ${count}::int)`;

describe('the changes of accounts', () => {
  test('are returned in commit order: none is skipped because its transaction was open for long', async () => {
    const [first, second, third] = await Promise.all(
      [1, 2, 3].map(async () => sessionOf(await register(shop.app))),
    );
    const { next } = await readAll();
    const [slow, fast, undone] = await Promise.all([transaction(), transaction(), transaction()]);
    await endIn(slow, first ?? '');
    await endIn(undone, third ?? '');
    await endIn(fast, second ?? '');
    await fast.query('COMMIT');
    const early = await readAll(next);
    expect(sessionsIn(early.changes)).toEqual([second]);
    await Promise.all([slow.query('COMMIT'), undone.query('ROLLBACK')]);
    const late = await readAll(early.next);
    expect(sessionsIn(late.changes)).toEqual([first]);
    expect((await readAll(late.next)).changes).toEqual([]);
  });

  test('are read completely by every reader while many are written', async () => {
    const { next } = await readAll();
    let writing = true;
    const reader = async () => {
      const seen: string[] = [];
      for (let cursor = next, isLast = false; !isLast; ) {
        isLast = !writing;
        const page = await readAll(cursor);
        seen.push(...sessionsIn(page.changes));
        cursor = page.next;
      }
      return seen;
    };
    const readers = [reader(), reader(), reader()];
    const written = Array.from({ length: 30 }, async () => {
      const rows = await shop.db.$queryRaw<{ session_id: string }[]>`
        INSERT INTO account_changes (type, session_id) VALUES ('session', gen_random_uuid()) RETURNING session_id`;
      return rows[0]?.session_id ?? '';
    });
    const sessions = (await Promise.all(written)).toSorted();
    writing = false;
    for (const seen of await Promise.all(readers)) expect(seen.toSorted()).toEqual(sessions);
  });

  test('with the same time are read completely, even if they exceed a page', async () => {
    const { next } = await readAll();
    await insertAtOnce(2500);
    const page = await read(next);
    expect([page.changes.length, page.more]).toEqual([1000, true]);
    const { changes } = await readAll(next);
    expect(new Set(sessionsIn(changes)).size).toBe(2500);
  });

  test('start one token lifetime ago without a cursor', async () => {
    const old = await register(shop.app);
    await shop.db.user.delete({ where: { id: old.user.id } });
    await readAll();
    await shop.db.$executeRaw`UPDATE account_changes SET changed_at = now() - interval '61 minutes'`;
    const ended = await register(shop.app);
    await request(shop.app).post('/api/users/logout').set('Authorization', ended.bearer).expect(204);
    expect((await readAll()).changes).toEqual([
      expect.objectContaining({ type: 'session', session_id: await sessionOf(ended), void_below: null }),
    ]);
    const deleted = (await readAll('0')).changes.flatMap((change) =>
      change.type === 'user_deleted' ? [change.user_id] : [],
    );
    expect(deleted).toEqual([old.user.id]);
  });

  test('start from the beginning for a cursor from before a restored backup', async () => {
    const [{ next }, all] = await Promise.all([readAll('999999999'), readAll('0')]);
    expect(next).toBe(all.next);
    expect(sessionsIn((await read('999999999')).changes)).toEqual(sessionsIn((await read('0')).changes));
  });

  test.each([{ after: 'x' }, { after: '-1' }, { after: '9'.repeat(19) }, { before: '1' }])(
    'refuse the query %j',
    async (query) => {
      const call = request(shop.app).get('/internal/accounts/changes').query(query);
      await call.set('Authorization', `Bearer ${token()}`).expect(400);
    },
  );
});

describe('an access token', () => {
  test('with an old role is revoked immediately, and the next one has the new role', async () => {
    const { user, tokens, bearer } = await register(shop.app);
    await request(shop.app)
      .put(`/api/users/${user.id}/role`)
      .set('Authorization', admin.bearer)
      .send({ role: 'admin' })
      .expect(200);
    await me(shop.app, bearer).expect(401);
    const promoted = (await refresh(shop.app, tokens.refresh_token).expect(200)).body.tokens;
    await request(shop.app)
      .get('/api/users')
      .set('Authorization', `Bearer ${promoted.access_token}`)
      .expect(200);
    await shop.db.$executeRaw`UPDATE users SET role = 'customer' WHERE id = ${user.id}`;
    await until(
      'the token of the old role is refused',
      async () =>
        (await request(shop.app).get('/api/users').set('Authorization', `Bearer ${promoted.access_token}`))
          .status === 401,
    );
  });

  test('issued in the second of a password change is accepted, and earlier ones are revoked', async () => {
    const { bearer } = await register(shop.app);
    const response = await request(shop.app)
      .put('/api/users/me/password')
      .set('Authorization', bearer)
      .send({ current_password: PASSWORD, new_password: 'another-password' })
      .expect(200);
    await me(shop.app, bearer).expect(401);
    await me(shop.app, `Bearer ${response.body.tokens.access_token}`).expect(200);
  });

  test('of a user who was deleted in the database is revoked', async () => {
    const { user, bearer } = await register(shop.app);
    await shop.db.$executeRaw`DELETE FROM users WHERE id = ${user.id}`;
    await until('all tokens of the user are void', async () =>
      shop.accounts.isVoid({ sessionId: 'any', generation: 1, id: user.id }),
    );
    await me(shop.app, bearer).expect(401);
  });

  test('of a revoked session is refused by another replica, also one that starts later', async () => {
    const replica = await shop.startReplica();
    const { user, bearer } = await register(shop.app);
    const other = await logIn(shop.app, user.username);
    await me(replica.app, bearer).expect(200);
    await request(shop.app).post('/api/users/logout').set('Authorization', bearer).expect(204);
    await me(shop.app, bearer).expect(401);
    await until('the other replica refuses it', async () => (await me(replica.app, bearer)).status === 401);
    const later = await shop.startReplica({ redis: false });
    await me(later.app, bearer).expect(401);
    await me(later.app, `Bearer ${other.access_token}`).expect(200);
  });

  test('is refused immediately by the process that revoked it, even while the feed is unavailable', async () => {
    const { app } = await shop.startReplica({ isFeedDown: () => true });
    const [user, other, third] = await Promise.all([1, 2, 3].map(() => register(app)));
    if (!user || !other || !third) throw new Error('not registered');
    const post = (path: string, { bearer }: Registered) =>
      request(app).post(path).set('Authorization', bearer).expect(204);
    await post('/api/users/logout', user);
    await post('/api/users/logout-all', other);
    await request(app).delete(`/api/users/${third.user.id}`).set('Authorization', third.bearer).expect(200);
    for (const { bearer } of [user, other, third]) await me(app, bearer).expect(401);
  });

  test('of a session revoked by a login beyond the limit is refused immediately', async () => {
    const { app } = await shop.startReplica({ isFeedDown: () => true });
    const { user, bearer } = await register(app);
    for (let i = 0; i < 50; i += 1) await logIn(app, user.username);
    await me(app, bearer).expect(401);
  });

  test('of the previous release is accepted until its session ends', async () => {
    const { user, bearer } = await register(shop.app);
    const id = await sessionOf({ user } as Registered);
    expect(shop.accounts.isVoid({ sessionId: id, generation: 0, id: user.id })).toBe(false);
    await request(shop.app).post('/api/users/logout').set('Authorization', bearer).expect(204);
    expect(shop.accounts.isVoid({ sessionId: id, generation: 0, id: user.id })).toBe(true);
  });
});
