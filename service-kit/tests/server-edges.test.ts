import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineRoute } from '../src/http/define-route.ts';
import { type RunningServer, startServer } from '../src/runtime/run-server.ts';
import { bearer } from '../testing/test-tokens.ts';
import { until } from '../testing/until.ts';
import { createTestApp } from './support/test-app.ts';

const running: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop('end of the test')));
});

/** A server with one slow and one quick route, and a POST that reads a body. */
async function start(config: { HOST?: string; CORS_ORIGINS?: string } = { HOST: '127.0.0.1' }) {
  let finish = () => {};
  let begun = 0;
  const slow = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const shared = { summary: 'A thing', who: 'anyone', limit: false, status: 200 } as const;
  const response = z.object({ from: z.string() });
  const routes = [
    defineRoute({
      ...shared,
      method: 'get',
      path: '/quick',
      response,
      handler: ({ caller }) => ({ from: caller.address }),
    }),
    defineRoute({
      ...shared,
      method: 'get',
      path: '/slow',
      response,
      handler() {
        begun += 1;
        return slow.then(() => ({ from: 'slow' }));
      },
    }),
    defineRoute({
      ...shared,
      method: 'post',
      path: '/body',
      body: z.strictObject({ name: z.string() }),
      response,
      handler: () => ({ from: 'body' }),
    }),
    defineRoute({
      ...shared,
      who: 'user',
      method: 'get',
      path: '/mine',
      query: z.object({ token: z.string() }),
      response,
      handler: () => ({ from: '' }),
    }),
  ];
  const { app, lines } = createTestApp({ routes });
  const server = await startServer({
    service: 'kit',
    loadConfig: () => ({ PORT: 0, LOG_LEVEL: 'silent', DRAIN_TIMEOUT: 0, CORS_ORIGINS: '*', ...config }),
    start: async () => ({ app, close: async () => undefined }),
  });
  running.push(server);
  return { port: server.port, lines, finish, begun: () => begun };
}

/** Everything that the server sends until it closes the connection. */
function send(port: number, text: string, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, host, () => socket.write(text));
    socket.on('data', (chunk) => {
      received += chunk.toString();
    });
    socket.once('close', () => resolve(received)).once('error', reject);
  });
}

function parse(received: string) {
  const [head = '', body = ''] = received.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => [
      field.slice(0, field.indexOf(':')).toLowerCase(),
      field.slice(field.indexOf(':') + 2),
    ]),
  );
  return { status: Number(line.split(' ')[1]), headers, body: JSON.parse(body) };
}

const REFUSED = [
  [
    'headers of 40 kB',
    `GET /quick HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
    431,
    'headers_too_large',
  ],
  ['an unknown method', 'BREW /quick HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'malformed_request'],
  ['another protocol', 'GET /quick HTTP/9.9\r\nHost: x\r\n\r\n', 400, 'malformed_request'],
  [
    'a header without a colon',
    'GET /quick HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n',
    400,
    'malformed_request',
  ],
  [
    'a body with invalid chunks',
    'POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n',
    400,
    'malformed_request',
  ],
  ['no Host', 'GET /quick HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'malformed_request'],
] as const;

describe('a request that cannot be parsed', () => {
  test.each(REFUSED)('%s: a problem document, readable across origins', async (_what, text, status, code) => {
    const { port } = await start();
    const response = parse(await send(port, text));
    expect(response).toMatchObject({
      status,
      headers: {
        'content-type': 'application/problem+json; charset=utf-8',
        'cache-control': 'no-store',
        'access-control-allow-origin': '*',
        'x-request-id': response.body.request_id,
        connection: 'close',
      },
      body: { type: `urn:problem-type:${code}`, status, code, error: response.body.detail },
    });
    expect(response.headers['access-control-expose-headers']).toContain('X-Request-Id');
  });

  test('gets no CORS header if only some origins are allowed', async () => {
    const { port } = await start({ HOST: '127.0.0.1', CORS_ORIGINS: 'https://shop.example' });
    const { headers } = parse(await send(port, 'nonsense\r\n\r\n'));
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('is refused after the pending responses', async () => {
    const { port, finish } = await start();
    const received = send(port, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n');
    setImmediate(finish);
    expect((await received).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
  });

  test('excludes unknown Expect headers, which are ignored', async () => {
    const { port } = await start();
    const text = 'GET /quick HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nConnection: close\r\n\r\n';
    expect(parse(await send(port, text)).status).toBe(200);
  });
});

describe('requests that one client sends without waiting', () => {
  const requests = (count: number, path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(count);
  const responses = (received: string) => received.match(/HTTP\/1\.1 200/g)?.length;

  test('are handled one by one', async () => {
    const { port, finish, begun } = await start();
    const received = send(port, requests(3, '/slow') + requests(98, '/quick'));
    await until('the first begins', () => begun() > 0);
    await send(port, 'GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(begun()).toBe(1);
    finish();
    expect(responses(await received)).toBe(101);
    expect(begun()).toBe(3);
  });

  test('end the connection when a hundred of them wait', async () => {
    const { port } = await start();
    expect(responses(await send(port, requests(300, '/quick')))).toBe(101);
  });
});

describe('without HOST', () => {
  const addresses = Object.values(networkInterfaces()).flatMap((list = []) =>
    list.map(({ address }) => address),
  );
  const get = 'GET /quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

  test.each(['127.0.0.1', '::1'].filter((address) => addresses.includes(address)))(
    'a server listens on %s and sees clients with that address',
    async (address) => {
      const { port } = await start({});
      expect(parse(await send(port, get, address)).body).toEqual({ from: address });
    },
  );
});

describe('the log line of a request', () => {
  test('has exactly the documented fields', async () => {
    const { port, lines } = await start();
    const text = `GET /mine?token=hunter2 HTTP/1.1\r\nHost: x\r\nAuthorization: ${bearer(7)}\r\nCookie: a=hunter2\r\nX-Request-Id: r-1\r\nConnection: close\r\n\r\n`;
    await send(port, text);
    await until('it is logged', () => lines.length > 0);
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        service: 'kit',
        msg: 'request',
        request_id: 'r-1',
        method: 'GET',
        path: '/mine',
        status: 200,
        ms: expect.any(Number),
        user_id: 7,
      },
    ]);
  });
});
