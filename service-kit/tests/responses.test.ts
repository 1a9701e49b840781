import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { defineRoute } from '../src/http/define-route.ts';
import { etagOf } from '../src/http/mount-routes.ts';
import { rawReply, reply } from '../src/http/reply.ts';
import { until } from '../testing/until.ts';
import { appOf, getFrom } from './support/one-route.ts';
import { createTestApp } from './support/test-app.ts';

describe('a successful response', () => {
  test('is JSON with the fields of the schema only', async () => {
    const response = await getFrom(() => ({ name: 'Lamp', password_hash: 'x' }));
    expect(response.status).toBe(200);
    expect(response.text).toBe('{"name":"Lamp"}');
    expect(response.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': '15',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
    });
    expect(response.headers).not.toHaveProperty('x-powered-by');
  });

  test('may set status and headers', async () => {
    const response = await getFrom(() =>
      reply({ name: 'Lamp' }, { status: 201, headers: { Location: '/it/7', 'Cache-Control': 'private' } }),
    );
    expect(response.status).toBe(201);
    expect(response.headers).toMatchObject({ location: '/it/7', 'cache-control': 'private' });
    expect(response.body).toEqual({ name: 'Lamp' });
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
    const response = await request(createTestApp({ routes: [route] }).app).delete('/it');
    expect(response.status).toBe(204);
    expect(response.text).toBe('');
    expect(response.headers['cache-control']).toBe('no-store');
  });

  test('to HEAD has the headers of GET and no body', async () => {
    const { app } = appOf('/it', () => ({ name: 'Lamp' }));
    const response = await request(app).head('/it');
    expect(response.status).toBe(200);
    expect(response.headers).toMatchObject({ 'content-length': '15' });
    expect(response.text).toBeFalsy();
  });

  test('may be finished bytes of any type', async () => {
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
    const response = await getFrom(() =>
      rawReply(Readable.from(['one', ',two']), { contentType: 'text/csv' }),
    );
    expect(response.text).toBe('one,two');
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

  test('midway cuts the connection, so that the client notices', async () => {
    const { app, lines } = appOf('/it', () => rawReply(Readable.from(rows(['one']))));
    await expect(request(app).get('/it')).rejects.toThrow(/aborted|hang up/);
    await until('the failure is logged', () => lines.length > 0);
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', msg: 'request failed' }));
  });

  test('before its first bytes becomes an error response', async () => {
    const response = await getFrom(() => rawReply(Readable.from(rows([])), { contentType: 'text/csv' }));
    expect(response.status).toBe(500);
    expect(response.body.code).toBe('internal');
  });

  test('is closed without an error when the client disconnects', async () => {
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
    const call = get({ port, path: '/it', agent: false }, (response) => {
      response.once('data', () => call.destroy());
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
  ])('with %s returns 304 without a body', async (_what, header) => {
    const response = await request(app).get('/it').set('If-None-Match', header);
    expect(response.status).toBe(304);
    expect(response.text).toBe('');
    expect(response.headers['etag']).toBe(etag);
  });

  test('with another tag or without one returns the whole body', async () => {
    expect((await request(app).get('/it').set('If-None-Match', '"other"')).body).toEqual({ name: 'Lamp' });
    expect((await request(app).get('/it')).headers['etag']).toBe(etag);
  });

  test('closes a stream that is not sent', async () => {
    expect((await request(streamed.app).get('/it').set('If-None-Match', etag)).status).toBe(304);
    expect(source.destroyed).toBe(true);
  });
});
