import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPasswordHasher } from '../src/credentials/password.hasher.ts';
import { runAdminCommand } from '../src/users/admin.command.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { logIn, register } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const hasher = createPasswordHasher({ pepper: 'shop/user-service/password', cost: 4 });
const run = (...args: string[]) => runAdminCommand(args, { query: shop.query, change: shop.change, hasher });
const userOf = (username: string) => shop.db.user.findFirstOrThrow({ where: { username } });

describe('npm run admin', () => {
  test('makes a user an admin, whatever the spelling of the name, and writes an audit event', async () => {
    const { user } = await register(shop.app, { username: 'strasse' });
    expect(await run('stra\u00dfe')).toBe(
      `strasse (id ${user.id}) is now an admin; the next token refresh or login brings the role.`,
    );
    expect((await userOf('strasse')).role).toBe('admin');
    expect(await run('STRA\u1e9eE')).toBe(`strasse (id ${user.id}) is already an admin.`);
    expect(await run(user.email.toUpperCase())).toBe(`strasse (id ${user.id}) is already an admin.`);
    const events = await shop.db.securityEvent.findMany({
      where: { userId: user.id, event: 'role_changed' },
    });
    expect(events).toMatchObject([{ actorId: null, details: { role: 'admin', by: 'npm run admin' } }]);
  });

  test('creates an admin with a password that works', async () => {
    const said = await run('--create', 'chief', 'chief@example.com');
    await logIn(shop.app, 'chief', said.split(': ')[1]);
    const { id, role, emailVerified } = await userOf('chief');
    expect({ role, emailVerified }).toEqual({ role: 'admin', emailVerified: true });
    const events = await shop.db.securityEvent.findMany({ where: { userId: id, event: 'registered' } });
    expect(events).toMatchObject([{ details: { by: 'npm run admin' } }]);
    await expect(run('--create', 'CHIEF', 'other@example.com')).rejects.toMatchObject({
      code: 'username_taken',
    });
    await expect(run('--create', 'a', 'b')).rejects.toThrow(
      'Username must be at least 3 characters. Invalid email format.',
    );
    expect(await shop.db.user.count({ where: { username: 'CHIEF' } })).toBe(0);
  });

  test("shows a user's sessions, without terminal control characters", async () => {
    const { user } = await register(shop.app);
    await shop.db.session.deleteMany({ where: { userId: user.id } });
    expect(await run('--sessions', user.username)).toBe(
      `${user.username} (id ${user.id}) is not signed in anywhere.`,
    );
    await logIn(shop.app, user.username);
    await shop.db.session.updateMany({ where: { userId: user.id }, data: { userAgent: 'Phone\u009b2J' } });
    const [head, session, ...more] = (await run(user.username, '--sessions')).split('\n');
    expect(head).toBe('last used\taddress\tprogram\tsession');
    expect(session).toMatch(/^\d{4}-\d\d-\d\dT[^\t]+Z\t[^\t]*127\.0\.0\.1\tPhone\?2J\t[0-9a-f-]{36}$/);
    expect(more).toEqual([]);
  });

  test('shows the last events of a user, newest first, and of no other user', async () => {
    const [{ user }] = await Promise.all([register(shop.app), register(shop.app)]);
    for (let i = 0; i < 20; i += 1) await logIn(shop.app, user.username);
    await run(user.username);
    const [head, ...events] = (await run('--audit', user.username)).split('\n');
    expect(head).toBe('time\tevent\tactor\taddress\tdetails');
    expect(events.map((line) => line.split('\t').slice(1, 3).join(' '))).toEqual([
      'role_changed -',
      ...Array(19).fill(`login_succeeded by ${user.id}`),
    ]);
    expect(events[0]).toContain('"by":"npm run admin"');
    await shop.db.securityEvent.deleteMany({ where: { userId: user.id } });
    expect(await run('--audit', user.username)).toBe(
      `Nothing is recorded about ${user.username} (id ${user.id}).`,
    );
  });

  test('reports why it fails', async () => {
    await expect(run('nobody')).rejects.toThrow('There is no user "nobody".');
    const wrong = [
      [],
      [''],
      ['--creat', 'x'],
      ['one', 'two'],
      ['--create', 'x'],
      ['--create', 'x', 'y', 'z'],
    ];
    for (const args of [...wrong, ['--sessions'], ['--sessions', '--audit', 'x']])
      await expect(run(...args)).rejects.toThrow('Usage:');
  });
});
