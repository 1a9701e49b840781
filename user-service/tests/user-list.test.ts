import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { type Registered, register, registerAdmin } from './support/user.factory.ts';

let shop: TestShop;
let admin: Registered;
beforeAll(async () => {
  shop = await startTestShop();
  admin = await registerAdmin(shop.app, shop.db);
});
afterAll(() => shop.close());

const get = (query: string, bearer: string) =>
  request(shop.app).get(`/api/users${query}`).set('Authorization', bearer);

describe('GET /api/users', () => {
  const names = async (query: string) => {
    const response = await get(query, admin.bearer).expect(200);
    return (response.body.users as { username: string }[]).map((user) => user.username);
  };

  test('is for admins', async () => {
    const { bearer } = await register(shop.app);
    await get('', bearer).expect(403);
    await request(shop.app).get('/api/users').expect(401);
  });

  test('pages by number and by cursor', async () => {
    for (const name of ['pager-a', 'pager-b', 'pager-c']) await register(shop.app, { username: name });
    const first = await get('?q=pager-&per_page=2', admin.bearer).expect(200);
    expect(first.body).toMatchObject({ total: 3, page: 1, pages: 2, per_page: 2 });
    expect(Object.keys(first.body.users[0])).not.toContain('password_hash');
    expect(await names('?q=pager-&per_page=2&page=2')).toEqual(['pager-c']);
    const second = await get(`?q=pager-&per_page=2&cursor=${first.body.next_cursor}`, admin.bearer).expect(
      200,
    );
    expect(second.body).toMatchObject({ page: null, next_cursor: null });
    expect(second.body.users).toMatchObject([{ username: 'pager-c' }]);
  });

  test('finds a part of a name or an address in any spelling, without wildcards', async () => {
    await register(shop.app, { username: 'Find_Me.Ünique', email: 'other-address@found.example' });
    await register(shop.app, { username: 'FindXMe.nobody' });
    expect(await names('?q=FIND_me')).toEqual(['Find_Me.Ünique']);
    expect(await names(`?q=${encodeURIComponent('u\u0308NIQ')}`)).toEqual(['Find_Me.Ünique']);
    expect(await names('?q=found.EXAMPLE')).toEqual(['Find_Me.Ünique']);
    await register(shop.app, { username: 'numbered', email: 'numbered@163.example' });
    for (const q of ['numbered@1', '@163', '@163.', '@163.e', 'd@163.example'])
      expect([q, await names(`?q=${q}`)]).toEqual([q, ['numbered']]);
    expect(await names('?q=%25')).toEqual([]);
  });

  test('filters by role', async () => {
    const response = await get('?role=admin&per_page=100', admin.bearer).expect(200);
    const users = response.body.users as { id: number; role: string }[];
    expect(users.map((user) => user.id)).toContain(admin.user.id);
    expect(users.every((user) => user.role === 'admin')).toBe(true);
  });

  test('counts up to the row behind the last page', async () => {
    await shop.db.$executeRaw`
      INSERT INTO users (username, username_key, email, email_key, password_hash)
      SELECT 'many' || i, 'many' || i, 'many' || i || '@x.example', 'many' || i || '@x.example', 'x'
        FROM generate_series(1, 10050) AS i`;
    for (const query of ['?per_page=100', '?per_page=100&q=many', '?per_page=100&role=customer'])
      expect((await get(query, admin.bearer).expect(200)).body).toMatchObject({
        ...{ total: 10_001, pages: 100, pages_capped: true },
      });
  });

  test.each([
    'page=0',
    'page=-1',
    'page=1e15',
    'page=',
    'per_page=101',
    'role=root',
    'q=',
    'page=1&page=2',
    'cursor=x',
    'page=101&per_page=100',
  ])('responds 400 for %s', async (query) => {
    await get(`?${query}`, admin.bearer).expect(400);
  });
});
