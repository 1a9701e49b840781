import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { type Registered, register } from './support/user.factory.ts';

let shop: TestShop;
let user: Registered['user'];
beforeAll(async () => {
  shop = await startTestShop({ env: { AUDIT_RETENTION_DAYS: '365' } });
  ({ user } = await register(shop.app));
});
afterAll(() => shop.close());

/** More than two batches. */
const MANY = 2500;

/** Inserts rows of a table that are `age` old, and counts those left of the user. */
const TABLES = {
  'sessions that ended': {
    add: (count: number, age: string) =>
      shop.db.$executeRaw`
        INSERT INTO sessions (id, user_id, current_token_hash, expires_at, ended_at)
        SELECT gen_random_uuid(), ${user.id}, 'ended', now() + interval '1 day', now() - ${age}::interval
          FROM generate_series(1, ${count}::int)`,
    left: () => shop.db.session.count({ where: { currentTokenHash: 'ended' } }),
  },
  'sessions that expired': {
    add: (count: number, age: string) =>
      shop.db.$executeRaw`
        INSERT INTO sessions (id, user_id, current_token_hash, expires_at)
        SELECT gen_random_uuid(), ${user.id}, 'expired', now() - ${age}::interval
          FROM generate_series(1, ${count}::int)`,
    left: () => shop.db.session.count({ where: { currentTokenHash: 'expired' } }),
  },
  'tokens of mails': {
    add: (count: number, age: string) =>
      shop.db.$executeRaw`
        INSERT INTO mail_tokens (hash, user_id, kind, email_key, expires_at)
        SELECT gen_random_uuid(), ${user.id}, 'verify_email', '', now() - ${age}::interval
          FROM generate_series(1, ${count}::int)`,
    left: () => shop.db.mailToken.count({ where: { emailKey: '' } }),
  },
  'requests of mails': {
    add: (count: number, age: string) =>
      shop.db.$executeRaw`
        INSERT INTO mail_requests (user_id, kind, requested_at)
        SELECT ${user.id}, 'email_changed', now() - ${age}::interval FROM generate_series(1, ${count}::int)`,
    left: () => shop.db.mailRequest.count({ where: { kind: 'email_changed' } }),
  },
  'events of the audit trail': {
    add: (count: number, age: string) =>
      shop.db.$executeRaw`
        INSERT INTO security_events (event, created_at)
        SELECT 'logout', now() - ${age}::interval FROM generate_series(1, ${count}::int)`,
    left: () => shop.db.securityEvent.count({ where: { event: 'logout' } }),
  },
  'changes of sessions': {
    add: (count: number, age: string) =>
      shop.db.$executeRaw`
        INSERT INTO account_changes (type, session_id, changed_at)
        SELECT 'session', gen_random_uuid(), now() - ${age}::interval FROM generate_series(1, ${count}::int)`,
    left: () => shop.db.accountChange.count({ where: { type: 'session' } }),
  },
};

describe('the cleanup', () => {
  test.each<[keyof typeof TABLES, string, string]>([
    ['sessions that ended', '25 hours', '23 hours'],
    ['sessions that expired', '25 hours', '23 hours'],
    ['tokens of mails', '1 second', '-1 hour'],
    ['requests of mails', '61 minutes', '59 minutes'],
    ['events of the audit trail', '366 days', '364 days'],
    ['changes of sessions', '71 minutes', '69 minutes'],
  ])('deletes all old %s in one run, and no others', async (what, old, young) => {
    const { add, left } = TABLES[what];
    await add(MANY, old);
    await add(3, young);
    await shop.cleanUp();
    expect(await left()).toBe(3);
  });

  test('keeps deletions of users, for services that were down', async () => {
    await shop.db.$executeRaw`
      INSERT INTO account_changes (type, user_id, changed_at) VALUES ('user_deleted', 1, now() - interval '9 years')`;
    await shop.cleanUp();
    expect(await shop.db.accountChange.count({ where: { type: 'user_deleted' } })).toBe(1);
  });
});
