import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@shop/service-kit/testing/until';
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
  registration,
} from './support/user.factory.ts';

let shop: TestShop;
let admin: Registered;
beforeAll(async () => {
  shop = await startTestShop();
  admin = await registerAdmin(shop.app, shop.db);
});
afterAll(() => shop.close());

const get = (path: string, bearer: string) =>
  request(shop.app).get(`/api/users${path}`).set('Authorization', bearer);
const put = (path: string, bearer: string, body: object) =>
  request(shop.app).put(`/api/users${path}`).set('Authorization', bearer).send(body);
const remove = (id: number, bearer: string) =>
  request(shop.app).delete(`/api/users/${id}`).set('Authorization', bearer);

describe('GET /api/users/:id', () => {
  test('returns the user to themselves and to admins, and 403 to all others', async () => {
    const { user, bearer } = await register(shop.app);
    const stranger = await register(shop.app);
    for (const allowed of [bearer, admin.bearer]) {
      const response = await get(`/${user.id}`, allowed).expect(200);
      expect(response.body).toEqual({ user });
    }
    const response = await get(`/${user.id}`, stranger.bearer).expect(403);
    expect(response.body.code).toBe('forbidden');
    await request(shop.app).get(`/api/users/${user.id}`).expect(401);
  });

  test('reveals to admins only that a user does not exist', async () => {
    const { bearer } = await register(shop.app);
    await get('/2147483647', bearer).expect(403);
    const response = await get('/2147483647', admin.bearer).expect(404);
    expect(response.body).toMatchObject({ code: 'user_not_found', error: 'User not found' });
  });

  test.each(['0', '-1', '1.5', '1e3', '2147483648', 'abc', '%00'])(
    'responds 400 for the id %s',
    async (id) => {
      await get(`/${id}`, admin.bearer).expect(400);
    },
  );
});

describe('PUT /api/users/:id', () => {
  test('changes name and address, and updated_at', async () => {
    const { user, bearer } = await register(shop.app);
    const response = await put(`/${user.id}`, bearer, { email: 'Changed@example.com' }).expect(200);
    expect(response.body.message).toBe('User updated successfully');
    expect(response.body.user).toEqual({
      ...user,
      email: 'Changed@example.com',
      updated_at: expect.any(String),
    });
    expect(Date.parse(response.body.user.updated_at)).toBeGreaterThan(Date.parse(user.updated_at));
    await put(`/${user.id}`, admin.bearer, { username: 'changed-by-admin' }).expect(200);
    await logIn(shop.app, 'CHANGED-by-admin');
    await logIn(shop.app, 'changed@EXAMPLE.com');
  });

  test('resets the verification with a new address', async () => {
    const { user, bearer } = await register(shop.app);
    await shop.db.user.update({ where: { id: user.id }, data: { emailVerified: true } });
    const named = await put(`/${user.id}`, bearer, { username: 'still-verified' }).expect(200);
    expect(named.body.user.email_verified).toBe(true);
    const moved = await put(`/${user.id}`, bearer, { email: 'moved@example.com' }).expect(200);
    expect(moved.body.user.email_verified).toBe(false);
  });

  test('refuses names and addresses that are taken, and lets users change the spelling of their own name', async () => {
    const other = await register(shop.app);
    const { user, bearer } = await register(shop.app);
    const name = await put(`/${user.id}`, bearer, { username: other.user.username.toUpperCase() }).expect(
      409,
    );
    expect(name.body.code).toBe('username_taken');
    const email = await put(`/${user.id}`, bearer, { email: other.user.email.toUpperCase() }).expect(409);
    expect(email.body.code).toBe('email_taken');
    await put(`/${user.id}`, bearer, { username: user.username.toUpperCase() }).expect(200);
  });

  test('requires at least one field, and refuses unknown ones', async () => {
    const { user, bearer } = await register(shop.app);
    const empty = await put(`/${user.id}`, bearer, {}).expect(400);
    expect(empty.body.errors).toEqual(['Email or username is required']);
    const wrong = await put(`/${user.id}`, bearer, { email: 'x', username: 'a b', role: 'admin' }).expect(
      400,
    );
    expect(wrong.body.errors.sort()).toEqual([
      'Invalid email format',
      'Unknown field: role',
      'Username may have letters, digits, "_", "." and "-" only',
    ]);
  });

  test('is for the user themselves and admins', async () => {
    const { user } = await register(shop.app);
    const stranger = await register(shop.app);
    await put(`/${user.id}`, stranger.bearer, { email: 'stolen@example.com' }).expect(403);
    await put('/2147483647', admin.bearer, { email: 'nobody@example.com' }).expect(404);
  });
});

describe('DELETE /api/users/:id', () => {
  test('erases personal data, revokes the sessions everywhere, and frees the name', async () => {
    const replica = await shop.startReplica();
    const body = registration();
    const { user, tokens, bearer } = await register(shop.app, body);
    await me(replica.app, bearer).expect(200);
    const response = await remove(user.id, bearer).expect(200);
    expect(response.body).toEqual({ message: 'User deleted successfully' });
    await me(shop.app, bearer).expect(401);
    const refreshed = await refresh(shop.app, tokens.refresh_token).expect(401);
    expect(refreshed.body.code).toBe('invalid_token');
    const listed = () => get('/me/sessions', bearer).then((sessions) => sessions.status);
    await until('others refuse the token', async () => (await listed()) === 401);
    await request(shop.app)
      .post('/api/users/login')
      .send({ username: user.username, password: PASSWORD })
      .expect(401);
    expect(await shop.db.user.findUnique({ where: { id: user.id } })).toBeNull();
    expect(await shop.db.session.count({ where: { OR: [{ userId: user.id }, { userId: null }] } })).toBe(0);
    await get(`/${user.id}`, admin.bearer).expect(404);
    const again = await register(shop.app, body);
    expect(again.user.id).not.toBe(user.id);
  });

  test('is for the user themselves and admins', async () => {
    const { user } = await register(shop.app);
    const stranger = await register(shop.app);
    await remove(user.id, stranger.bearer).expect(403);
    await remove(user.id, admin.bearer).expect(200);
    await remove(user.id, admin.bearer).expect(404);
  });

  test('leaves no session of a concurrent login', async () => {
    const orphans = () => shop.db.session.count({ where: { userId: null, endedAt: null } });
    const before = await orphans();
    const { user, bearer } = await register(shop.app);
    const logins = Array.from({ length: 5 }, () =>
      request(shop.app).post('/api/users/login').send({ username: user.username, password: PASSWORD }),
    );
    const responses = await Promise.all([remove(user.id, bearer), ...logins]);
    expect(responses[0]?.status).toBe(200);
    for (const login of responses.slice(1)) {
      expect([200, 401]).toContain(login.status);
      if (login.status === 200) await me(shop.app, `Bearer ${login.body.tokens.access_token}`).expect(401);
    }
    expect(await orphans()).toBe(before);
  });
});

describe('PUT /api/users/:id/role', () => {
  test('revokes the issued access tokens; a refresh returns the new role', async () => {
    const { user, tokens, bearer } = await register(shop.app);
    await get('', bearer).expect(403);
    const response = await put(`/${user.id}/role`, admin.bearer, { role: 'admin' }).expect(200);
    expect(response.body.user).toMatchObject({ id: user.id, role: 'admin' });
    expect(Date.parse(response.body.user.updated_at)).toBeGreaterThan(Date.parse(user.updated_at));
    await me(shop.app, bearer).expect(401);
    const refreshed = await refresh(shop.app, tokens.refresh_token).expect(200);
    await get('?per_page=1', `Bearer ${refreshed.body.tokens.access_token}`).expect(200);
  });

  test('changes nothing if the user already has the role', async () => {
    const { user, bearer } = await register(shop.app);
    await put(`/${user.id}/role`, admin.bearer, { role: 'customer' }).expect(200);
    await me(shop.app, bearer).expect(200);
  });

  test('is for admins, but not for their own role', async () => {
    const { user, bearer } = await register(shop.app);
    await put(`/${user.id}/role`, bearer, { role: 'admin' }).expect(403);
    const own = await put(`/${admin.user.id}/role`, admin.bearer, { role: 'customer' }).expect(403);
    expect(own.body.code).toBe('forbidden');
    await put('/2147483647/role', admin.bearer, { role: 'admin' }).expect(404);
    const wrong = await put(`/${user.id}/role`, admin.bearer, { role: 'root' }).expect(400);
    expect(wrong.body.errors).toEqual(['Role must be customer or admin']);
  });
});

describe('GET /api/users/:id/sessions', () => {
  test('lists the sessions of a user for an admin', async () => {
    const { user, bearer } = await register(shop.app);
    await logIn(shop.app, user.username);
    const listed = await get(`/${user.id}/sessions`, admin.bearer).expect(200);
    const own = await get('/me/sessions', bearer).expect(200);
    const others = (session: object) => ({ ...session, current: false });
    expect(own.body.sessions).toHaveLength(2);
    expect(listed.body).toEqual({ sessions: own.body.sessions.map(others) });
    const mine = await get(`/${admin.user.id}/sessions`, admin.bearer).expect(200);
    expect(mine.body.sessions[0].current).toBe(true);
    await get('/2147483647/sessions', admin.bearer).expect(404);
    await get(`/${user.id}/sessions`, bearer).expect(403);
  });
});

describe('DELETE /api/users/:id/sessions', () => {
  const end = (id: number | string, bearer: string) =>
    request(shop.app).delete(`/api/users/${id}/sessions`).set('Authorization', bearer);

  test('revokes every session of the user, everywhere', async () => {
    const replica = await shop.startReplica();
    const { user, tokens, bearer } = await register(shop.app);
    const other = await logIn(shop.app, user.username);
    await end(user.id, admin.bearer).expect(204);
    for (const token of [bearer, `Bearer ${other.access_token}`]) {
      await me(shop.app, token).expect(401);
      await until('others refuse it', async () => (await me(replica.app, token)).status === 401);
    }
    await refresh(shop.app, tokens.refresh_token).expect(401);
    await logIn(shop.app, user.username);
  });

  test('is for admins', async () => {
    const { user, bearer } = await register(shop.app);
    await end(user.id, bearer).expect(403);
    const unknown = await end(2147483647, admin.bearer).expect(404);
    expect(unknown.body.code).toBe('user_not_found');
    await end('x', admin.bearer).expect(400);
    await me(shop.app, bearer).expect(200);
  });
});
