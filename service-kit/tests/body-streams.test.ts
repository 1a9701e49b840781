import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { z } from 'zod';
import type { BodyStream } from '../src/http/body-stream.ts';
import { defineRoute } from '../src/http/define-route.ts';
import { createJsonReader } from '../src/http/read-json.ts';
import { until } from '../testing/until.ts';
import { createTestApp } from './support/test-app.ts';
import { openUpload, upload } from './support/upload.ts';

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
});

const counted = z.object({ type: z.string(), bytes: z.int() });

async function count({ mediaType, bytes }: BodyStream) {
  let sum = 0;
  for await (const chunk of bytes) sum += chunk.length;
  return { type: mediaType, bytes: sum };
}

/** A service with one route that accepts up to 1 MB of CSV or NDJSON. */
function start(handler: (stream: BodyStream) => Promise<{ type: string; bytes: number }> = count) {
  const route = defineRoute({
    method: 'post',
    path: '/rows',
    summary: 'Take rows',
    who: 'anyone',
    limit: false,
    stream: { types: ['text/csv', 'application/x-ndjson'], maxBytes: 1_000_000, stallTimeout: 300 },
    status: 200,
    response: counted,
    handler: ({ stream }) => handler(stream),
  });
  const { app, lines } = createTestApp({ routes: [route] });
  const server = app.listen(0);
  servers.push(server);
  return { app, server, lines };
}

const CSV = { 'Content-Type': 'text/csv' };
const chunkedHead = ['POST /rows HTTP/1.1', 'Content-Type: text/csv', 'Transfer-Encoding: chunked'];

describe('a route with a stream', () => {
  const { app, server } = start();

  test.each([
    ['text/csv', 'text/csv'],
    ['Text/CSV; charset=UTF-8; header=present', 'text/csv'],
    ['application/x-ndjson;charset="utf-8"', 'application/x-ndjson'],
  ])('accepts a body of %s that is larger than the JSON limit', async (contentType, type) => {
    const body = Buffer.alloc(900_000, 'x');
    const response = await upload(server, '/rows', body, { 'Content-Type': contentType });
    expect(response).toMatchObject({ status: 200, body: { type, bytes: 900_000 } });
  });

  test('accepts an empty body', async () => {
    const response = await upload(server, '/rows', Buffer.alloc(0), { ...CSV, 'Content-Length': '0' });
    expect(response.body).toEqual({ type: 'text/csv', bytes: 0 });
  });

  test.each([
    ['another type', { 'Content-Type': 'application/json' }, 'text/csv or application/x-ndjson in UTF-8'],
    ['no type', {}, 'text/csv or application/x-ndjson in UTF-8'],
    [
      'another charset',
      { 'Content-Type': 'text/csv; charset=latin1' },
      'text/csv or application/x-ndjson in UTF-8',
    ],
    [
      'an unknown compression',
      { ...CSV, 'Content-Encoding': 'zstd' },
      'plain or compressed with gzip, deflate or br',
    ],
    ['a compression named like a method', { ...CSV, 'Content-Encoding': 'toString' }, 'plain or compressed'],
    ['two compressions', { ...CSV, 'Content-Encoding': 'gzip, br' }, 'plain or compressed'],
  ])('refuses %s', async (_what, headers, expected) => {
    const response = await upload(server, '/rows', Buffer.from('a,b'), headers as Record<string, string>);
    expect(response).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
    expect(response.body['detail']).toContain(`The body must be ${expected}`);
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('undoes %s', async (encoding, compress) => {
    const body = compress(Buffer.alloc(900_000, 'rows'));
    const response = await upload(server, '/rows', body, { ...CSV, 'Content-Encoding': encoding });
    expect(response).toMatchObject({ status: 200, body: { bytes: 900_000 } });
  });

  test.each([
    ['is not gzip', Buffer.from('not compressed')],
    ['is cut off', gzipSync(Buffer.alloc(10_000, 'x')).subarray(0, 30)],
  ])('refuses a gzip body that %s', async (_what, body) => {
    const response = await upload(server, '/rows', body, { ...CSV, 'Content-Encoding': 'gzip' });
    expect(response).toMatchObject({
      status: 400,
      body: { code: 'malformed_request', detail: 'The body cannot be decompressed' },
    });
  });

  test('stops decompressing at its limit', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const response = await upload(server, '/rows', bomb, { ...CSV, 'Content-Encoding': 'gzip' });
    expect(response).toMatchObject({ status: 413, body: { detail: 'The body is larger than 1 MB' } });
  });

  test('refuses a body that is too large, by its announced or its actual length', async () => {
    const announced = await openUpload(server, [...chunkedHead.slice(0, 2), 'Content-Length: 1000001']);
    await until('the refusal', () => announced.response().includes('The body is larger than 1 MB'));
    announced.socket.destroy();
    const turned = await upload(server, '/rows', Array(40).fill(Buffer.alloc(50_000)));
    expect(turned).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });

  test('is documented with its media types and errors', async () => {
    const { body } = await request(app).get('/openapi.json');
    const operation = body.paths['/rows'].post;
    expect(operation.requestBody).toEqual({
      required: true,
      content: {
        'text/csv': { schema: { type: 'string', format: 'binary' } },
        'application/x-ndjson': { schema: { type: 'string', format: 'binary' } },
      },
    });
    expect(Object.keys(operation.responses)).toEqual(['200', '400', '413', '415', 'default']);
  });
});

describe('a client that stalls', () => {
  test('gets 408 after the time limit for progress, however long the whole body takes', async () => {
    const { server } = start();
    const { socket, response } = await openUpload(server, chunkedHead);
    const part = Buffer.alloc(20_000, 'x').toString();
    for (let i = 0; i < 8; i++) {
      socket.write(`${part.length.toString(16)}\r\n${part}\r\n`);
      await sleep(100);
    }
    expect(response()).toBe('');
    await until('the response', () => response().includes('request_timeout'));
    expect(response()).toMatch(/^HTTP\/1\.1 408 /);
    socket.destroy();
  });

  test('gets 408 also if it sends a byte now and then', async () => {
    const { server } = start();
    const { socket, response } = await openUpload(server, chunkedHead);
    const dribble = setInterval(() => socket.write('1\r\nx\r\n'), 50);
    await until('the response', () => response().includes('request_timeout'));
    clearInterval(dribble);
    socket.destroy();
  });

  test('does not get 408 while the handler is slow', async () => {
    const { server } = start(async (stream) => {
      let sum = 0;
      for await (const chunk of stream.bytes) {
        if (sum === 0) await sleep(900);
        sum += chunk.length;
      }
      return { type: stream.mediaType, bytes: sum };
    });
    const response = await upload(server, '/rows', Array(19).fill(Buffer.alloc(50_000)));
    expect(response.body).toEqual({ type: 'text/csv', bytes: 950_000 });
  });
});

describe('a handler', () => {
  test('stops reading when the client disconnects, without logging an error', async () => {
    let failure: unknown;
    const { server, lines } = start((stream) =>
      count(stream).catch((error: unknown) => {
        failure = error;
        throw error;
      }),
    );
    const { socket } = await openUpload(server, chunkedHead);
    socket.write('3\r\na,b\r\n');
    await sleep(50);
    socket.destroy();
    await until('the handler ends', () => failure !== undefined);
    expect(failure).toMatchObject({ status: 400, message: 'The body broke off' });
    await until('the request is logged', () => lines.some(({ msg }) => msg === 'request'));
    expect(lines.find(({ msg }) => msg === 'request')).toMatchObject({ level: 'info', status: 499 });
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('may respond before it has read everything: the client gets the response, then the connection closes', async () => {
    const { server } = start(async (stream) => {
      for await (const chunk of stream.bytes) return { type: stream.mediaType, bytes: chunk.length };
      return { type: stream.mediaType, bytes: 0 };
    });
    const { socket, response, closed } = await openUpload(server, chunkedHead);
    const endless = setInterval(() => socket.write(`c350\r\n${'x'.repeat(50_000)}\r\n`), 5);
    await until('the response', () => response().includes('"bytes"'));
    expect(response()).toMatch(/^HTTP\/1\.1 200 /);
    await closed;
    clearInterval(endless);
  });

  test('keeps the connection usable if the rest of the body is small', async () => {
    const { server } = start(async ({ mediaType }) => ({ type: mediaType, bytes: 0 }));
    const { socket, response } = await openUpload(server, [...chunkedHead.slice(0, 2), 'Content-Length: 4']);
    socket.write('a,b\n');
    await until('the response', () => response().includes('"bytes"'));
    socket.write('GET /health HTTP/1.1\r\nHost: shop\r\n\r\n');
    await until('the next response', () => response().includes('healthy'));
    socket.destroy();
  });
});

describe('a JSON body', () => {
  const app = express();
  app.post('/it', createJsonReader(200), (message, response) => void response.json(message.body));
  app.use(((error, _request, response, _next) => {
    response.status(error.status).end(error.code);
  }) as express.ErrorRequestHandler);

  test('that does not arrive completely in time gets 408, once', async () => {
    const server = app.listen(0);
    servers.push(server);
    const { socket, response } = await openUpload(server, [
      'POST /it HTTP/1.1',
      'Content-Type: application/json',
      'Content-Length: 10',
    ]);
    socket.write('{"a":');
    await until('the response', () => response().includes('request_timeout'));
    socket.write('"b"}');
    await sleep(50);
    expect(response().match(/HTTP\/1\.1/g)).toHaveLength(1);
    socket.destroy();
  });

  test('that arrives in time is read', async () => {
    expect((await request(app).post('/it').send({ a: 1 })).body).toEqual({ a: 1 });
  });
});
