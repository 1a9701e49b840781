import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { AppError } from '../src/errors/app-error.ts';
import { defineRoute } from '../src/http/define-route.ts';
import { type RunningServer, startServer } from '../src/runtime/run-server.ts';
import { bearer } from '../testing/test-tokens.ts';
import { createTestApp } from './support/test-app.ts';

const running: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('end of the test')));
});

/** A server with a route that counts the bytes of its body, even if it breaks off. */
async function start() {
  const route = defineRoute({
    method: 'post',
    path: '/rows',
    summary: 'Count bytes',
    who: 'user',
    limit: false,
    stream: { types: ['text/csv'], maxBytes: 1_000_000 },
    status: 200,
    response: z.object({ bytes: z.int() }),
    async handler({ stream }) {
      let bytes = 0;
      try {
        for await (const chunk of stream.bytes) bytes += chunk.length;
      } catch (error) {
        const { status, code, message } = error as AppError;
        throw new AppError(status, code, message, { members: { bytes } });
      }
      return { bytes };
    },
  });
  const { app } = createTestApp({ routes: [route] });
  const server = await startServer({
    service: 'kit',
    loadConfig: () => ({
      PORT: 0,
      HOST: '127.0.0.1',
      LOG_LEVEL: 'silent',
      DRAIN_TIMEOUT: 0,
      CORS_ORIGINS: '*',
    }),
    start: async () => ({ app, close: async () => undefined }),
  });
  running.push(server);
  return server.port;
}

/** Sends a request and closes only the sending side. */
function send(port: number, ...lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let response = '';
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => {
      socket.end(lines.join('\r\n'));
    });
    socket.setEncoding('utf8').on('data', (text: string) => {
      response += text;
    });
    socket.once('error', reject).once('end', () => resolve(response));
  });
}

describe('a client that stops in the middle of its body and waits for the response', () => {
  const head = ['POST /rows HTTP/1.1', 'Host: kit', 'Content-Type: text/csv', `Authorization: ${bearer(1)}`];

  test.each([
    ['with an announced length', ['Content-Length: 1000', '', '12345']],
    ['in chunks', ['Transfer-Encoding: chunked', '', '5', '12345', '']],
    ['in the middle of a chunk', ['Transfer-Encoding: chunked', '', 'a', '12345']],
    ['with an invalid chunk', ['Transfer-Encoding: chunked', '', '5', '12345', 'zz', '']],
  ])('gets the response of the route: %s', async (_what, rest) => {
    const response = await send(await start(), ...head, ...rest);
    expect(response).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(response.slice(response.indexOf('\r\n\r\n')))).toMatchObject({
      code: 'malformed_request',
      detail: 'The body broke off',
      bytes: 5,
    });
  });
});
