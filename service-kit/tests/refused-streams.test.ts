import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { defineError } from '../src/errors/app-error.ts';
import { Forbidden, Unavailable } from '../src/errors/http-errors.ts';
import type { BodyStream } from '../src/http/body-stream.ts';
import { defineRoute } from '../src/http/define-route.ts';
import { bearer } from '../testing/test-tokens.ts';
import { until } from '../testing/until.ts';
import { createTestApp } from './support/test-app.ts';
import { openUpload, upload } from './support/upload.ts';

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
});

const Running = defineError(409, 'running', 'Another one is running');

function start(handler: (stream: BodyStream) => Promise<Record<string, never>>) {
  const route = defineRoute({
    method: 'post',
    path: '/rows',
    summary: 'Take rows',
    who: 'user',
    limit: 'rows',
    query: z.object({ dry_run: z.string().optional() }),
    stream: { types: ['text/csv'], maxBytes: 1_000_000, stallTimeout: 300 },
    status: 200,
    response: z.object({}),
    handler: ({ stream }) => handler(stream),
  });
  const limits = { rows: { max: 1, seconds: 60, withoutRedis: 'count' as const } };
  const { app, lines } = createTestApp({ routes: [route], config: { limits } });
  const server = app.listen(0);
  servers.push(server);
  return { server, lines };
}

const refuse = (error: Error) => () => Promise.reject(error);
let user = 100;
const asUser = () => ({ Authorization: bearer(user++), 'Content-Type': 'text/csv' });

/** Bytes that take several reads to decompress. */
const CUT = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 2_654_435_761) >>> 24));
const CODECS = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
] as const;
const BODIES = CODECS.flatMap(([encoding, compress]) => [
  [encoding, 'whole', compress(CUT)] as const,
  [encoding, 'cut off', compress(CUT).subarray(0, -100)] as const,
  [encoding, 'garbage', Buffer.alloc(70_000, 'no such thing')] as const,
]);

describe.each(BODIES)('a refused body of %s, %s,', (encoding, _state, body) => {
  const headers = () => ({ ...asUser(), 'Content-Encoding': encoding });

  test.each([
    ['409', new Running(), 409],
    ['403', new Forbidden(), 403],
    ['503', new Unavailable('Later', 1), 503],
    ['500', new Error('unexpected'), 500],
  ])('with %s before it is read', async (_name, error, status) => {
    const { server } = start(refuse(error));
    expect((await upload(server, '/rows', body, headers())).status).toBe(status);
    // Later errors of the stream must not end the process.
    await sleep(20);
    expect((await request(server).get('/health')).status).toBe(200);
  });

  test.each([
    ['401', { Authorization: 'Bearer none' }, '/rows', 401],
    ['415', { 'Content-Type': 'image/png' }, '/rows', 415],
    ['413', { 'Content-Length': '2000000' }, '/rows', 413],
    ['400 for its query', {}, '/rows?dryrun=true', 400],
  ])('with %s before its handler is called', async (_name, more, path, status) => {
    const { server } = start(refuse(new Running()));
    const response = await upload(server, path, body, { ...headers(), ...more });
    expect(response.status).toBe(status);
    expect((await request(server).get('/health')).status).toBe(200);
  });

  test('with 429', async () => {
    const { server } = start(refuse(new Running()));
    const same = headers();
    await upload(server, '/rows', body, same);
    expect((await upload(server, '/rows', body, same)).status).toBe(429);
    expect((await request(server).get('/health')).status).toBe(200);
  });

  test('that is never sent completely', async () => {
    const { server, lines } = start(refuse(new Running()));
    const head = Object.entries(headers()).map(([name, value]) => `${name}: ${value}`);
    const { socket, response } = await openUpload(server, [
      'POST /rows HTTP/1.1',
      'Content-Length: 500000',
      ...head,
    ]);
    socket.write(body);
    await until('the refusal', () => response().includes('"running"'));
    socket.destroy();
    await sleep(20);
    expect((await request(server).get('/health')).status).toBe(200);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

test('stops the work on a body when the client disconnects, even if the whole body has arrived', async () => {
  let pieces = 0;
  let failure: unknown;
  const { server } = start(async ({ bytes }) => {
    try {
      for await (const _ of bytes) {
        pieces += 1;
        await sleep(20);
      }
    } catch (error) {
      failure = error;
    }
    return {};
  });
  const bomb = gzipSync(Buffer.alloc(1_000_000));
  const head = Object.entries(asUser()).map(([name, value]) => `${name}: ${value}`);
  const { socket } = await openUpload(server, [
    'POST /rows HTTP/1.1',
    `Content-Length: ${bomb.length}`,
    'Content-Encoding: gzip',
    ...head,
  ]);
  socket.write(bomb);
  await until('the work has begun', () => pieces > 1);
  socket.destroy();
  await until('it ends', () => failure !== undefined);
  expect(failure).toMatchObject({ message: 'The body broke off' });
  // 1 MB arrives in pieces of 16 kB.
  expect(pieces).toBeLessThan(50);
});
