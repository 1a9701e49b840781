import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { Pool } from 'pg';
import request from 'supertest';
import { z } from 'zod';
import { AppError, defineError } from '../src/errors/app-error.ts';
import { defineRoute } from '../src/http/define-route.ts';
import { etagOf } from '../src/http/mount-routes.ts';
import { rawReply, reply } from '../src/http/reply.ts';
import { poolSettings } from '../src/postgres/pool-settings.ts';
import { freePort } from './support/redis-process.ts';
import { createTestApp } from './support/test-app.ts';
import { until } from './support/until.ts';

const OutOfStock = defineError(
  409,
  'out_of_stock',
  (id: number) => `Nothing left of ${id}`,
  (id) => ({ members: { details: [{ id }] }, headers: { 'Retry-After': '7' } }),
);

const thing = z.object({ name: z.string() });

/** A GET route of one handler, so that each test shows what it is about. */
function appOf(path: string, handler: () => unknown, more: { who?: 'user'; status?: number } = {}) {
  const route = defineRoute({
    method: 'get',
    path,
    summary: 'Get',
    who: more.who ?? 'anyone',
    limit: false,
    status: more.status ?? 200,
    answer: thing,
    handler: handler as () => { name: string },
  });
  return createTestApp({ routes: [route] });
}
const getFrom = (handler: () => unknown) => request(appOf('/it', handler).app).get('/it');

describe('a good answer', () => {
  test('is JSON of what the schema names, and nothing else', async () => {
    const answer = await getFrom(() => ({ name: 'Lamp', password_hash: 'x' }));
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"name":"Lamp"}');
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': '15',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    });
    expect(answer.headers).not.toHaveProperty('x-powered-by');
  });

  test('may set status and headers', async () => {
    const answer = await getFrom(() =>
      reply({ name: 'Lamp' }, { status: 201, headers: { Location: '/it/7', 'Cache-Control': 'private' } }),
    );
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({ location: '/it/7', 'cache-control': 'private' });
    expect(answer.body).toEqual({ name: 'Lamp' });
  });

  test('may be empty', async () => {
    const route = defineRoute({
      method: 'delete',
      path: '/it',
      summary: 'Remove',
      who: 'anyone',
      limit: false,
      status: 204,
      handler: () => undefined,
    });
    const answer = await request(createTestApp({ routes: [route] }).app).delete('/it');
    expect(answer.status).toBe(204);
    expect(answer.text).toBe('');
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  test('to HEAD has the headers of GET and no body', async () => {
    const { app } = appOf('/it', () => ({ name: 'Lamp' }));
    const answer = await request(app).head('/it');
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'content-length': '15' });
    expect(answer.text).toBeFalsy();
  });

  test('may be bytes that were made elsewhere, of any type', async () => {
    const json = await getFrom(() => rawReply('{"as":"it is"}'));
    expect(json.text).toBe('{"as":"it is"}');
    expect(json.headers['content-type']).toBe('application/json; charset=utf-8');
    const csv = await getFrom(() =>
      rawReply(Buffer.from('a;b\n'), { contentType: 'text/csv; charset=utf-8' }),
    );
    expect(csv.text).toBe('a;b\n');
    expect(csv.headers['content-type']).toBe('text/csv; charset=utf-8');
  });

  test('may be a stream', async () => {
    const answer = await getFrom(() => rawReply(Readable.from(['one', ',two']), { contentType: 'text/csv' }));
    expect(answer.text).toBe('one,two');
    expect((await getFrom(() => rawReply(Readable.from([])))).status).toBe(200);
    const filled = new Readable();
    filled.push('all there');
    filled.push(null);
    expect((await getFrom(() => rawReply(filled, { contentType: 'text/csv' }))).text).toBe('all there');
  });
});

describe('a stream that fails', () => {
  async function* rows(good: string[]) {
    yield* good;
    await sleep(0);
    throw new Error('the database went away');
  }

  test('midway cuts the connection, so that nobody takes the half for the whole', async () => {
    const { app, lines } = appOf('/it', () => rawReply(Readable.from(rows(['one']))));
    await expect(request(app).get('/it')).rejects.toThrow(/aborted|hang up/);
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', msg: 'request failed' }));
  });

  test('before its first bytes is answered as any failure', async () => {
    const answer = await getFrom(() => rawReply(Readable.from(rows([])), { contentType: 'text/csv' }));
    expect(answer.status).toBe(500);
    expect(answer.body.code).toBe('internal');
  });

  test('is closed and not called a failure when the client leaves', async () => {
    let source: Readable | undefined;
    const endless = async function* () {
      for (;;) {
        yield 'x'.repeat(10_000);
        await sleep(1);
      }
    };
    const { app, lines } = appOf('/it', () => {
      source = Readable.from(endless());
      return rawReply(source);
    });
    const server = app.listen(0);
    const { port } = server.address() as AddressInfo;
    const call = get({ port, path: '/it', agent: false }, (answer) => {
      answer.once('data', () => call.destroy());
    }).on('error', () => undefined);
    await until('the source is closed', () => source?.destroyed === true);
    await until('the request is logged', () => lines.some(({ msg }) => msg === 'request'));
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(lines.find(({ msg }) => msg === 'request')).toMatchObject({ status: 499 });
    server.close();
  });
});

describe('If-None-Match', () => {
  const etag = etagOf('{"name":"Lamp"}');
  let source: Readable;
  const { app } = appOf('/it', () => reply({ name: 'Lamp' }, { etag }));
  const streamed = appOf('/it', () => {
    source = Readable.from(['x']);
    return rawReply(source, { etag });
  });

  test.each([
    ['the tag', etag],
    ['a weak form of it', `W/${etag}`],
    ['a list', `"other", ${etag} , "third"`],
    ['any', '*'],
  ])('with %s answers 304 without a body', async (_what, header) => {
    const answer = await request(app).get('/it').set('If-None-Match', header);
    expect(answer.status).toBe(304);
    expect(answer.text).toBe('');
    expect(answer.headers['etag']).toBe(etag);
  });

  test('with another tag, or without one, answers whole', async () => {
    expect((await request(app).get('/it').set('If-None-Match', '"other"')).body).toEqual({ name: 'Lamp' });
    expect((await request(app).get('/it')).headers['etag']).toBe(etag);
  });

  test('closes a stream that need not be sent', async () => {
    expect((await request(streamed.app).get('/it').set('If-None-Match', etag)).status).toBe(304);
    expect(source.destroyed).toBe(true);
  });
});

describe('a failure', () => {
  test('that is expected tells status, code, text, members and headers', async () => {
    const answer = await getFrom(() => {
      throw new OutOfStock(7);
    }).set('X-Request-Id', 'r-1');
    expect(answer.status).toBe(409);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'retry-after': '7',
      'cache-control': 'no-store',
    });
    expect(answer.body).toEqual({
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
    ['an error that only looks like one of HTTP', Object.assign(new Error('hunter2'), { status: 400 })],
    [
      'an error of HTTP that is none of the client',
      Object.assign(new Error('hunter2'), { status: 418, expose: true }),
    ],
    ['a text', 'hunter2'],
    ['an object', { message: 'hunter2' }],
  ])('that is unexpected, %s, answers 500 without a word about it', async (_what, thrown) => {
    const { app, lines } = appOf('/it', () => {
      throw thrown;
    });
    const answer = await request(app).get('/it');
    expect(answer.status).toBe(500);
    expect(answer.body).toMatchObject({ code: 'internal', detail: 'Something went wrong on our side' });
    expect(answer.text).not.toContain('hunter2');
    const [line] = lines.filter(({ level }) => level === 'error');
    expect(line).toMatchObject({
      request_id: answer.body.request_id,
      err: { message: expect.stringContaining('hunter2') },
    });
  });

  test('of the answer to fit its schema is a 500 with none of the headers of the good answer', async () => {
    const answer = await getFrom(() =>
      reply({ nme: 'Lamp' }, { headers: { Location: '/it/7' }, etag: '"1"' }),
    );
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('nme');
    expect(answer.headers).not.toHaveProperty('location');
    expect(answer.headers).not.toHaveProperty('etag');
  });

  test('with a status that HTTP does not name still has a title', async () => {
    const answer = await getFrom(() => {
      throw new AppError(499, 'odd', 'Odd', {}, new Error('why'));
    });
    expect(answer.body).toMatchObject({ status: 499, title: 'Error' });
  });

  test('to reach the database is a 503 that may be tried again', async () => {
    const pool = new Pool(poolSettings(`postgres://nobody@127.0.0.1:${await freePort()}/none`, 1));
    const { app, lines } = appOf('/it', () => pool.query('SELECT 1'));
    const answer = await request(app).get('/it');
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body).toMatchObject({
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

  test('that does not exist is a 404 problem', async () => {
    const answer = await request(app).get('/nothing/here');
    expect(answer.status).toBe(404);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ code: 'not_found', title: 'Not Found' });
  });

  test.each(['post', 'put', 'patch', 'delete'] as const)(
    'asked with %s is a 405 with Allow',
    async (method) => {
      const answer = await request(app)[method]('/it/1');
      expect(answer.status).toBe(405);
      expect(answer.headers['allow']).toBe('GET, HEAD');
      expect(answer.body.code).toBe('method_not_allowed');
    },
  );

  test('that is fixed is no value of a parameter, for no method', async () => {
    const show = {
      method: 'get',
      summary: 'Show',
      who: 'anyone',
      limit: false,
      status: 200,
      answer: thing,
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
    'of the machine, %s, too',
    async (path) => {
      const answer = await request(app).post(path);
      expect(answer.status).toBe(405);
      expect(answer.headers['allow']).toBe('GET, HEAD');
    },
  );

  test('is counted by its declaration, so that ids do not become labels', async () => {
    await request(app).get('/it/1');
    await request(app).get('/it/2');
    const text = await metrics.registry.metrics();
    expect(text).toMatch(/http_request_duration_seconds_count\{[^}]*route="\/it\/:id",status="200"[^}]*\} 2/);
    expect(text).toContain('route="other",status="404"');
  });
});

describe('X-Request-Id', () => {
  const { app } = appOf('/it', () => ({ name: 'Lamp' }));

  test.each(['a', 'A-z_0.9', 'x'.repeat(128)])('%s is taken over', async (id) => {
    expect((await request(app).get('/it').set('X-Request-Id', id)).headers['x-request-id']).toBe(id);
  });

  test.each(['', 'a b', 'x'.repeat(129), 'ä', '{"a":1}'])('%j is replaced', async (id) => {
    const answer = await request(app).get('/it').set('X-Request-Id', Buffer.from(id).toString('latin1'));
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});
