import { Client } from 'pg';
import { call } from '../e2e/support/http.ts';
import { startStack, testServer } from '../e2e/support/stack.ts';

const SESSIONS = Number(process.env['BENCH_SESSIONS'] ?? 60_000);
/** Milliseconds: no request takes longer (docs/http-api.md). */
const MOST = 2000;
const PASSWORD = 'securepass123';
const NEW_PASSWORD = 'another-password';

interface Account {
  id: number;
  token: string;
}

/**
 * Measures the revocation of all sessions of a user with very many recently used ones, compared with the statement of the
 * previous release, which wrote each session and an entry for it.
 */
async function main() {
  const stack = await startStack({
    redisUrl: testServer('TEST_REDIS_URL'),
    only: ['user-service'],
    env: { RATE_LIMIT_ENABLED: 'false', BCRYPT_COST: '4' },
  });
  const client = new Client({ connectionString: stack.user.databaseUrl });
  await client.connect();
  let named = 0;
  const open = async (): Promise<Account> => {
    named += 1;
    const body = { username: `user${named}`, email: `user${named}@example.com`, password: PASSWORD };
    const { body: response } = await call('POST', `${stack.user.url}/api/users/register`, body);
    return { id: Number(response['user']?.['id']), token: String(response['tokens']?.['access_token']) };
  };
  const withSessions = async (): Promise<Account> => {
    const account = await open();
    await client.query(
      `INSERT INTO sessions (id, user_id, current_token_hash, expires_at)
       SELECT gen_random_uuid(), $1::int, 'many', now() + interval '1 day' FROM generate_series(2, $2::int)`,
      [account.id, SESSIONS],
    );
    return account;
  };
  const admin = await open();
  await client.query("UPDATE users SET role = 'admin' WHERE id = $1", [admin.id]);
  const logIn = await call('POST', `${stack.user.url}/api/users/login`, {
    username: 'user1',
    password: PASSWORD,
  });
  admin.token = String(logIn.body['tokens']?.['access_token']);

  const ways: Record<string, (account: Account) => Promise<unknown>> = {
    'the statement of the previous release': ({ id }) =>
      client.query(
        `UPDATE sessions SET ended_at = clock_timestamp(), ended_reason = 'logout_all'
          WHERE user_id = $1 AND ended_at IS NULL`,
        [id],
      ),
    'POST /logout-all': ({ token }) => send('POST', '/logout-all', token),
    'PUT /me/password': ({ token }) =>
      send('PUT', '/me/password', token, { current_password: PASSWORD, new_password: NEW_PASSWORD }),
    'DELETE /:id/sessions': ({ id }) => send('DELETE', `/${id}/sessions`, admin.token),
    'PUT /:id/role': ({ id }) => send('PUT', `/${id}/role`, admin.token, { role: 'admin' }),
    'DELETE /:id': ({ id, token }) => send('DELETE', `/${id}`, token),
  };
  const send = async (method: string, path: string, token: string, body?: object) => {
    const { status } = await call(method, `${stack.user.url}/api/users${path}`, body, {
      token,
      limit: 30_000,
    });
    if (status >= 300) throw new Error(`${method} ${path}: ${status}`);
  };
  try {
    const rows = [];
    for (const [way, revoke] of Object.entries(ways)) {
      const account = await withSessions();
      await client.query('ANALYZE sessions');
      const { rows: before } = await client.query('SELECT coalesce(max(id), 0) AS id FROM account_changes');
      const startedAt = performance.now();
      await revoke(account);
      const took = Math.round(performance.now() - startedAt);
      const { rows: entries } = await client.query(
        'SELECT count(*)::int AS count FROM account_changes WHERE id > $1',
        [before[0].id],
      );
      rows.push({ way, sessions: SESSIONS, ms: took, entries: entries[0].count });
      if (way.includes('/') && took > MOST) process.exitCode = 1;
    }
    console.table(rows);
  } finally {
    await client.end();
    await stack.close();
  }
}

await main();
