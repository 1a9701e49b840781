import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { declaredRoutes } from '@shop/service-kit/http/mount-routes';
import { until } from '@shop/service-kit/testing/until';
import request from 'supertest';
import { startTestShop, type TestShop } from './support/test-shop.ts';
import { register, registration } from './support/user.factory.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

describe('the system routes', () => {
  test('GET /health and /ready report the state', async () => {
    const health = await request(shop.app).get('/health').expect(200);
    expect(health.body).toEqual({ status: 'healthy', service: 'user-service' });
    // On a busy machine the first connection may take longer than the check waits.
    await until('it is ready', async () => (await request(shop.app).get('/ready')).ok);
    const ready = await request(shop.app).get('/ready').expect(200);
    expect(ready.body).toMatchObject({ status: 'ready', checks: { database: 'ok', redis: 'ok' } });
  });

  test('GET /ready is 503 while stopping and without the database', async () => {
    const stopping = await shop.startReplica({ isStopping: () => true });
    await request(stopping.app).get('/ready').expect(503);
    const lost = await shop.startReplica({ env: { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' } });
    const response = await request(lost.app).get('/ready').expect(503);
    expect(response.body.checks).toMatchObject({ database: 'down', redis: 'ok' });
    const refused = await request(lost.app).post('/api/users/register').send(registration()).expect(503);
    expect(refused.body.code).toBe('unavailable');
    const { bearer } = await register(shop.app);
    // This replica has never read which tokens are revoked.
    const logout = request(lost.app).post('/api/users/logout').set('Authorization', bearer);
    expect((await logout.expect(503)).body.code).toBe('starting');
    const reset = request(lost.app).post('/api/users/password-reset').send({ email: 'a@example.com' });
    expect((await reset.expect(503)).body.code).toBe('unavailable');
  });

  test('return 503 busy for password requests while their queue is full', async () => {
    const { app } = await shop.startReplica({ queue: { concurrency: 0, maxWaiting: 0 } });
    const { bearer } = await register(shop.app);
    const passwords = { current_password: 'securepass123', new_password: 'another-password' };
    const refused = await Promise.all([
      request(app).post('/api/users/register').send(registration()),
      request(app).post('/api/users/login').send({ username: 'somebody', password: 'securepass123' }),
      request(app).put('/api/users/me/password').set('Authorization', bearer).send(passwords),
      request(app)
        .post('/api/users/password-reset/confirm')
        .send({ token: 'x'.repeat(43), new_password: 'another-password' }),
    ]);
    for (const { status, body, headers } of refused)
      expect([status, body.code, headers['retry-after']]).toEqual([503, 'busy', '1']);
  });

  test('GET /openapi.json lists every operation', async () => {
    const { body } = await request(shop.app).get('/openapi.json').expect(200);
    expect(body.openapi).toBe('3.1.0');
    const calls = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(calls.sort()).toEqual([
      'delete /api/users/me/sessions/{id}',
      'delete /api/users/{id}',
      'delete /api/users/{id}/sessions',
      'get /.well-known/jwks.json',
      'get /api/users',
      'get /api/users/audit',
      'get /api/users/me',
      'get /api/users/me/sessions',
      'get /api/users/{id}',
      'get /api/users/{id}/sessions',
      'post /api/users/login',
      'post /api/users/logout',
      'post /api/users/logout-all',
      'post /api/users/me/verify-email',
      'post /api/users/password-reset',
      'post /api/users/password-reset/confirm',
      'post /api/users/refresh',
      'post /api/users/register',
      'post /api/users/verify-email',
      'put /api/users/me/password',
      'put /api/users/{id}',
      'put /api/users/{id}/role',
    ]);
    const register = body.paths['/api/users/register'].post.requestBody.content['application/json'].schema;
    expect(register).toMatchObject({
      required: ['username', 'email', 'password'],
      properties: {
        username: { type: 'string', minLength: 3, maxLength: 80 },
        email: { type: 'string', maxLength: 254 },
        password: { type: 'string', minLength: 8, maxLength: 256 },
      },
      additionalProperties: false,
    });
    const login = body.paths['/api/users/login'].post.requestBody.content['application/json'].schema;
    expect(Object.keys(login.properties)).toEqual(['username', 'email', 'password']);
  });

  test('GET /docs and /metrics respond', async () => {
    const docs = await request(shop.app).get('/docs').expect(200);
    expect(docs.text).toContain('user-service');
    const metrics = await request(shop.app).get('/metrics').expect(200);
    expect(metrics.text).toContain('http_request_duration_seconds');
  });
});

describe('a known path with another method', () => {
  test.each([
    ['put', '/api/users/login', 'POST'],
    ['get', '/api/users/register', 'POST'],
    ['get', '/api/users/logout', 'POST'],
    ['delete', '/api/users/me', 'GET, HEAD'],
    ['post', '/api/users/me/password', 'PUT'],
    ['post', '/api/users/1', 'GET, HEAD, PUT, DELETE'],
    ['get', '/api/users/1/role', 'PUT'],
  ] as const)('%s %s responds 405 and names what is allowed', async (method, path, allow) => {
    const response = await request(shop.app)[method](path).expect(405);
    expect(response.headers['allow']).toBe(allow);
  });

  test('an unknown path is 404', async () => {
    await request(shop.app).get('/api/nothing').expect(404);
  });
});

describe('rate limits', () => {
  const limited = { RATE_LIMIT_ENABLED: 'true' };

  test('of registration hold for all replicas, and are reported in the headers', async () => {
    const replicas = [await shop.startReplica({ env: limited }), await shop.startReplica({ env: limited })];
    const post = (i: number, bearer?: string) =>
      request((replicas[i % 2] ?? shop).app)
        .post('/api/users/register')
        .set(bearer === undefined ? {} : { Authorization: bearer })
        .send(registration());
    for (let i = 0; i < 5; i += 1) {
      const response = await post(i).expect(201);
      expect(response.headers['ratelimit-policy']).toMatch(/"register"; q=5; w=60/);
      expect(response.headers['ratelimit']).toMatch(new RegExp(`"register"; r=${4 - i}; t=`));
    }
    const refused = await post(5).expect(429);
    expect(refused.body.code).toBe('rate_limited');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    // A new account does not add five more.
    const { bearer } = await register(shop.app);
    await post(6, bearer).expect(429);
  });

  test('of logins count by address, and ignore a forged X-Forwarded-For', async () => {
    const { app } = await shop.startReplica({ env: limited, redis: false });
    const post = (i: number) =>
      request(app)
        .post('/api/users/login')
        .set('X-Forwarded-For', `10.0.0.${i}`)
        .send({ username: `nobody${i}`, password: 'wrong-password' });
    for (let i = 0; i < 10; i += 1) await post(i).expect(401);
    await post(10).expect(429);
  });

  test('of a signed-in user count by user', async () => {
    const { app } = await shop.startReplica({ env: { ...limited, RATE_LIMIT_USER_READS: '1/60' } });
    const [first, second] = [await register(shop.app), await register(shop.app)];
    const read = (bearer: string) => request(app).get('/api/users/me').set('Authorization', bearer);
    await read(first.bearer).expect(200);
    await read(first.bearer).expect(429);
    await read(second.bearer).expect(200);
  });
});

test('without Redis everything works in one process', async () => {
  const { app } = await shop.startReplica({ redis: false, env: { RATE_LIMIT_ENABLED: 'true' } });
  const { bearer } = await register(app);
  const ready = await request(app).get('/ready').expect(200);
  expect(ready.body.checks).toEqual({ database: 'ok', account_changes: 'ok' });
  await request(app).post('/api/users/logout').set('Authorization', bearer).expect(204);
  await request(app).get('/api/users/me').set('Authorization', bearer).expect(401);
});

test('only routes that hash passwords, and streams, have a time limit of their own', () => {
  const limited = declaredRoutes(shop.app).flatMap(({ method, path, timeLimit }) =>
    timeLimit === undefined ? [] : [`${timeLimit}: ${method.toUpperCase()} ${path}`],
  );
  expect(limited.sort()).toEqual([
    'password: POST /api/users/login',
    'password: POST /api/users/password-reset/confirm',
    'password: POST /api/users/register',
    'password: PUT /api/users/me/password',
  ]);
});
