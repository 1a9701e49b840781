import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@shop/service-kit/testing/until';
import request from 'supertest';
import { createCredentialRepository } from '../src/credentials/credential.repository.ts';
import { identityKey } from '../src/identity/identity.ts';
import { mailedToken, mailsAskedFor } from './support/mail-links.ts';
import { type MailSink, startMailSink } from './support/mail-sink.ts';
import { type Replica, startTestShop, type TestShop } from './support/test-shop.ts';
import { logIn, me, PASSWORD, refresh, register } from './support/user.factory.ts';

let shop: TestShop;
let sink: MailSink;
beforeAll(async () => {
  [shop, sink] = await Promise.all([startTestShop(), startMailSink()]);
});
afterAll(async () => {
  await Promise.all([shop.close(), sink.close()]);
});

/** Statements that every process runs once a second. */
const isBackground = (statement: string) => statement.includes('account_changes');

const NEW_PASSWORD = 'another-password';
const post = (path: string, body: object, { app }: Replica = shop) =>
  request(app).post(`/api/users/${path}`).send(body);
const ask = (email: string, replica?: Replica) => post('password-reset', { email }, replica);
const confirm = (token: string, password = NEW_PASSWORD) =>
  post('password-reset/confirm', { token, new_password: password });
const tokenFor = (user: { id: number; email: string }) => mailedToken(shop.db, user, 'reset_password');

describe('POST /api/users/password-reset', () => {
  test('mails a link that works once, and revokes every session, also in other processes', async () => {
    const replica = await shop.startReplica({ env: { SMTP_URL: sink.url }, jobs: true });
    const { user, tokens, bearer } = await register(shop.app, { email: 'Reset.Me@example.com' });
    await ask('RESET.me@example.com', replica).expect(202);
    const sent = () => sink.mails.find(({ subject }) => subject === 'Reset your password');
    await until('the mail has arrived', async () => sent() !== undefined);
    const token = /\?token=([\w-]+)/.exec(sent()?.text ?? '')?.[1] ?? '';
    const response = await confirm(token).expect(200);
    expect(response.body).toEqual({ message: 'Password reset successfully' });
    await me(shop.app, bearer).expect(401);
    await refresh(shop.app, tokens.refresh_token).expect(401);
    const elsewhere = async () => (await me(replica.app, bearer)).status;
    await until('the other process refuses the token', async () => (await elsewhere()) === 401);
    await post('login', { username: user.username, password: PASSWORD }).expect(401);
    const login = await post('login', { username: user.username, password: NEW_PASSWORD }).expect(200);
    expect(login.body.user.email_verified).toBe(true);
    const again = await confirm(token).expect(400);
    expect(again.body.code).toBe('invalid_token');
  });

  test('has the same response and the same audit row for an unknown address', async () => {
    const { user } = await register(shop.app);
    const asked = () => shop.db.securityEvent.count({ where: { event: 'password_reset_asked' } });
    const before = await asked();
    const known = await ask(user.email).expect(202);
    const unknown = await ask('nobody-at-all@example.com').expect(202);
    expect(unknown.body).toEqual(known.body);
    expect(Object.keys(unknown.headers)).toEqual(Object.keys(known.headers));
    expect(await asked()).toBe(before + 2);
    expect(await mailsAskedFor(shop.db, user.id, 'reset_password')).toBe(1);
  });

  test('sends the database the same statements for an unknown address', async () => {
    const { user } = await register(shop.app);
    let statements: string[] = [];
    const replica = await shop.startReplica({ onStatement: (text) => statements.push(text) });
    const statementsOf = async (email: string) => {
      statements = [];
      await ask(email, replica).expect(202);
      return statements.filter((text) => !isBackground(text));
    };
    const known = await statementsOf(user.email);
    expect(known).toEqual(
      expect.arrayContaining([expect.stringContaining('pg_advisory_xact_lock'), 'COMMIT']),
    );
    expect(await statementsOf('nobody-at-all@example.com')).toEqual(known);
    expect(await statementsOf(user.email)).toEqual(known);
  });

  test('concurrent requests wait for each other, for an unknown address too', async () => {
    const { user } = await register(shop.app);
    for (const email of [user.email, 'nobody-waits@example.com']) {
      const key = identityKey(email);
      let asked: Promise<number> | undefined;
      await shop.change([], async ({ query }) => {
        await createCredentialRepository(query).lockKey(key);
        asked = ask(email).then(({ status }) => status);
        const waiting = async () => {
          const [row] = await shop.db.$queryRaw<[{ count: number }]>`
            SELECT count(*)::int FROM pg_locks l JOIN pg_database d ON d.oid = l.database
             WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = current_database()`;
          return row.count > 0;
        };
        await until('the request waits', waiting);
      });
      expect(await asked).toBe(202);
    }
  });

  test('sends at most 3 mails in 15 minutes, even for concurrent requests', async () => {
    const { user } = await register(shop.app);
    const replica = await shop.startReplica();
    const responses = await Promise.all(
      Array.from({ length: 12 }, (_, i) => ask(user.email, i % 2 === 0 ? shop : replica)),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array(12).fill(202));
    expect(await mailsAskedFor(shop.db, user.id, 'reset_password')).toBe(3);
    const earlier = new Date(Date.now() - 901_000);
    await shop.db.mailRequest.updateMany({ where: { userId: user.id }, data: { requestedAt: earlier } });
    await ask(user.email).expect(202);
    expect(await mailsAskedFor(shop.db, user.id, 'reset_password')).toBe(4);
  });

  test('requires an address, and is rate-limited', async () => {
    const missing = await post('password-reset', {}).expect(400);
    expect(missing.body.errors).toEqual(['Email is required']);
    const wrong = await ask('nonsense').expect(400);
    expect(wrong.body.errors).toEqual(['Invalid email format']);
    const limited = await shop.startReplica({ env: { RATE_LIMIT_ENABLED: 'true' }, redis: false });
    for (let i = 0; i < 5; i += 1) await ask(`nobody${i}@example.com`, limited).expect(202);
    await ask('nobody@example.com', limited).expect(429);
  });
});

describe('POST /api/users/password-reset/confirm', () => {
  type User = { id: number; email: string };
  test.each<[string, (user: User, token: string) => Promise<string> | string]>([
    ['that was never sent', () => 'x'.repeat(43)],
    ['of no form', () => '€'],
    ['that is too long to be one', () => 'x'.repeat(200)],
    ['in another spelling', (_user, token) => token.toUpperCase()],
    ['of another kind', (user) => mailedToken(shop.db, user, 'verify_email')],
    [
      'of 30 minutes ago',
      async (user, token) => {
        await shop.db.mailToken.updateMany({ where: { userId: user.id }, data: { expiresAt: new Date() } });
        return token;
      },
    ],
    [
      'that was used',
      async (_user, token) => {
        await confirm(token, 'used-for-this-one').expect(200);
        return token;
      },
    ],
    [
      'sent to an address that the user has no more',
      async (user, token) => {
        const admin = await register(shop.app);
        await shop.db.user.update({ where: { id: admin.user.id }, data: { role: 'admin' } });
        const { access_token } = await logIn(shop.app, admin.user.username);
        await request(shop.app)
          .put(`/api/users/${user.id}`)
          .set('Authorization', `Bearer ${access_token}`)
          .send({ email: `moved-${user.email}` })
          .expect(200);
        return token;
      },
    ],
    [
      'from before another one was used',
      async (user, token) => {
        await confirm(await tokenFor(user), 'used-for-this-one').expect(200);
        return token;
      },
    ],
  ])('refuses a token %s and changes nothing', async (_what, spoil) => {
    const { user } = await register(shop.app);
    const token = await spoil(user, await tokenFor(user));
    const before = await shop.db.user.findUniqueOrThrow({ where: { id: user.id } });
    const response = await confirm(token).expect(400);
    expect(response.body.code).toBe('invalid_token');
    expect(await shop.db.user.findUniqueOrThrow({ where: { id: user.id } })).toEqual(before);
  });

  test('a password change invalidates the links', async () => {
    const { user, bearer } = await register(shop.app);
    const token = await tokenFor(user);
    await request(shop.app)
      .put('/api/users/me/password')
      .set('Authorization', bearer)
      .send({ current_password: PASSWORD, new_password: NEW_PASSWORD })
      .expect(200);
    await confirm(token).expect(400);
  });

  test('an older link works until one is used', async () => {
    const { user } = await register(shop.app);
    const first = await tokenFor(user);
    await tokenFor(user);
    await confirm(first).expect(200);
  });

  test('one of several concurrent uses of a token, or of two tokens, succeeds', async () => {
    const { user } = await register(shop.app);
    const [first, second] = [await tokenFor(user), await tokenFor(user)];
    const responses = await Promise.all(
      Array.from({ length: 8 }, (_, i) => confirm(i % 2 === 0 ? first : second, `${NEW_PASSWORD}${i}`)),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(400)]);
    const winner = responses.findIndex(({ status }) => status === 200);
    await logIn(shop.app, user.username, `${NEW_PASSWORD}${winner}`);
  });

  test('reports all issues together, and does not use the token', async () => {
    const { user } = await register(shop.app);
    const empty = await post('password-reset/confirm', {}).expect(400);
    expect(empty.body.errors).toEqual(['Token is required', 'New password is required']);
    const token = await tokenFor(user);
    const short = await confirm(token, 'short').expect(400);
    expect(short.body.errors).toEqual(['New password must be at least 8 characters']);
    await confirm(token).expect(200);
  });
});
