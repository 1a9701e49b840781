import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { rekeyUsers } from '../src/users/rekey.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { logIn, register } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

test('accounts of older releases get current keys; the log names the second of two that are equal now', async () => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const street = await register(shop.app, { username: 'GRO\u1e9eE', email: 'info@xn--mller-kva.example' });
  const first = await register(shop.app, { username: 'strasse' });
  const second = await register(shop.app, { username: 'placeholder' });
  // As written by the previous release.
  const asBefore = (id: number, data: object) => shop.db.user.update({ where: { id }, data });
  await asBefore(street.user.id, { usernameKey: 'gro\u00dfe', emailKey: 'info@xn--mller-kva.example' });
  await asBefore(second.user.id, { username: 'STRA\u1e9eE', usernameKey: 'stra\u00dfe' });
  await rekeyUsers({ query: shop.query, logger });
  await logIn(shop.app, 'grosse');
  await logIn(shop.app, 'info@m\u00fcller.example');
  const login = await logIn(shop.app, 'stra\u00dfe');
  expect(JSON.parse(atob(login.access_token.split('.')[1] ?? '')).sub).toBe(String(first.user.id));
  await logIn(shop.app, second.user.email);
  expect(lines).toMatchObject([{ user_id: second.user.id, field: 'username' }]);
  const before = await shop.db.user.findMany({ orderBy: { id: 'asc' } });
  await rekeyUsers({ query: shop.query, logger });
  expect(await shop.db.user.findMany({ orderBy: { id: 'asc' } })).toEqual(before);
});
