import { describe, expect, test } from '@jest/globals';
import { Pool } from 'pg';
import request from 'supertest';
import { AppError, defineError } from '../src/errors/app-error.ts';
import { defineRoute } from '../src/http/define-route.ts';
import { reply } from '../src/http/reply.ts';
import { poolSettings } from '../src/postgres/pool-settings.ts';
import { freePort } from '../testing/redis-process.ts';
import { appOf, getFrom, thing } from './support/one-route.ts';
import { createTestApp } from './support/test-app.ts';

const OutOfStock = defineError(
  409,
  'out_of_stock',
  (id: number) => `Nothing left of ${id}`,
  (id) => ({ members: { details: [{ id }] }, headers: { 'Retry-After': '7' } }),
);

describe('an error', () => {
  test('that is expected becomes its status, code, text, members and headers', async () => {
    const response = await getFrom(() => {
      throw new OutOfStock(7);
    }).set('X-Request-Id', 'r-1');
    expect(response.status).toBe(409);
    expect(response.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'retry-after': '7',
      'cache-control': 'no-store',
    });
    expect(response.body).toEqual({
      type: 'urn:problem-type:out_of_stock',
      title: 'Conflict',
      status: 409,
      detail: 'Nothing left of 7',
      code: 'out_of_stock',
      error: 'Nothing left of 7',
      request_id: 'r-1',
      details: [{ id: 7 }],
    });
    expect([OutOfStock.status, OutOfStock.code]).toEqual([409, 'out_of_stock']);
  });

  test.each([
    ['an error', new Error('password of db is hunter2')],
    ['an error with only a status', Object.assign(new Error('hunter2'), { status: 400 })],
    [
      'an HTTP error that is not the fault of the client',
      Object.assign(new Error('hunter2'), { status: 418, expose: true }),
    ],
    ['a text', 'hunter2'],
    ['an object', { message: 'hunter2' }],
  ])('that is unexpected, %s, becomes a 500 without details', async (_what, thrown) => {
    const { app, lines } = appOf('/it', () => {
      throw thrown;
    });
    const response = await request(app).get('/it');
    expect(response.status).toBe(500);
    expect(response.body).toMatchObject({ code: 'internal', detail: 'Something went wrong on our side' });
    expect(response.text).not.toContain('hunter2');
    const [line] = lines.filter(({ level }) => level === 'error');
    expect(line).toMatchObject({
      request_id: response.body.request_id,
      err: { message: expect.stringContaining('hunter2') },
    });
  });

  test('of a response that does not match its schema is a 500 without the headers of that response', async () => {
    const response = await getFrom(() =>
      reply({ nme: 'Lamp' }, { headers: { Location: '/it/7' }, etag: '"1"' }),
    );
    expect(response.status).toBe(500);
    expect(response.text).not.toContain('nme');
    expect(response.headers).not.toHaveProperty('location');
    expect(response.headers).not.toHaveProperty('etag');
  });

  test('with an unregistered status still has a title', async () => {
    const response = await getFrom(() => {
      throw new AppError(499, 'odd', 'Odd', {}, new Error('why'));
    });
    expect(response.body).toMatchObject({ status: 499, title: 'Error' });
  });

  test('of an unavailable database is a 503 with Retry-After', async () => {
    const pool = new Pool(poolSettings(`postgres://nobody@127.0.0.1:${await freePort()}/none`, 1));
    const { app, lines } = appOf('/it', () => pool.query('SELECT 1'));
    const response = await request(app).get('/it');
    expect(response.status).toBe(503);
    expect(response.headers['retry-after']).toBe('1');
    expect(response.body).toMatchObject({
      code: 'unavailable',
      detail: 'The service cannot reach its database',
    });
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', err: expect.objectContaining({ code: 'ECONNREFUSED' }) }),
    );
    await pool.end();
  });
});

describe('an address', () => {
  const { app, metrics } = appOf('/it/:id', () => ({ name: 'Lamp' }));

  test('that does not exist gets 404', async () => {
    const response = await request(app).get('/nothing/here');
    expect(response.status).toBe(404);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.body).toMatchObject({ code: 'not_found', title: 'Not Found' });
  });

  test.each(['post', 'put', 'patch', 'delete'] as const)(
    'requested with %s gets 405 with Allow',
    async (method) => {
      const response = await request(app)[method]('/it/1');
      expect(response.status).toBe(405);
      expect(response.headers['allow']).toBe('GET, HEAD');
      expect(response.body.code).toBe('method_not_allowed');
    },
  );

  test('that is fixed is never matched as a parameter, whatever the method', async () => {
    const show = {
      method: 'get',
      summary: 'Show',
      who: 'anyone',
      limit: false,
      status: 200,
      response: thing,
    } as const;
    const handler = () => ({ name: 'me' });
    const { app: both } = createTestApp({
      routes: [
        defineRoute({ ...show, method: 'put', path: '/users/:id', handler }),
        defineRoute({ ...show, path: '/users/me', handler }),
      ],
    });
    expect((await request(both).put('/users/7')).status).toBe(200);
    const refused = await request(both).put('/users/me');
    expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  test.each(['/health', '/ready', '/metrics', '/openapi.json', '/docs'])(
    'of the system, %s, too',
    async (path) => {
      const response = await request(app).post(path);
      expect(response.status).toBe(405);
      expect(response.headers['allow']).toBe('GET, HEAD');
    },
  );

  test('is counted by its declared path, so that ids do not become labels', async () => {
    await request(app).get('/it/1');
    await request(app).get('/it/2');
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/http_request_duration_seconds_count\{[^}]*route="\/it\/:id",status="200"[^}]*\} 2/);
    expect(text).toContain('route="other",status="404"');
  });
});

describe('X-Request-Id', () => {
  const { app } = appOf('/it', () => ({ name: 'Lamp' }));

  test.each(['a', 'A-z_0.9', 'x'.repeat(128)])('%s is kept', async (id) => {
    expect((await request(app).get('/it').set('X-Request-Id', id)).headers['x-request-id']).toBe(id);
  });

  test.each(['', 'a b', 'x'.repeat(129), 'ä', '{"a":1}'])('%j is replaced', async (id) => {
    const response = await request(app).get('/it').set('X-Request-Id', Buffer.from(id).toString('latin1'));
    expect(response.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});
