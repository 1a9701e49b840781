import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { createHttpClient } from '../src/http/http-client.ts';
import { createMetrics } from '../src/runtime/metrics.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const MAX_RESPONSE = 1000;

async function clientOf(respond: RequestListener, path = '') {
  const server = createServer(respond).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.closeAllConnections());
  closing.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  return createHttpClient({ target: 'other', url, maxResponse: MAX_RESPONSE, metrics: createMetrics('kit') });
}

/** Returns the request as JSON. */
const echo: RequestListener = (incoming, response) => {
  const { method, url, headers } = incoming;
  const chunks: Buffer[] = [];
  incoming
    .on('data', (chunk: Buffer) => chunks.push(chunk))
    .on('end', () => {
      const body = Buffer.concat(chunks).toString();
      response.setHeader('x-status', 'echoed').end(JSON.stringify({ method, url, headers, body }));
    });
};

test('a call sends its body as JSON of a known length, and returns status, headers and parsed body', async () => {
  const http = await clientOf(echo);
  const { status, headers, data } = await http.post(
    '/things?of=1',
    { name: 'Käse' },
    { headers: { 'x-a': 'b' } },
  );
  expect([status, headers['x-status']]).toEqual([200, 'echoed']);
  expect(data).toMatchObject({ method: 'POST', url: '/things?of=1', body: '{"name":"Käse"}' });
  expect(data.headers).toMatchObject({
    'x-a': 'b',
    'content-type': 'application/json',
    'content-length': '16',
  });
});

test('the path of the address precedes that of a call; without one the call goes to the address itself', async () => {
  const http = await clientOf(echo, '/base/?page=2');
  expect((await http.get('/things')).data.url).toBe('/base/things');
  expect((await http.get('')).data.url).toBe('/base/?page=2');
});

test('a text that is not JSON is returned as it is', async () => {
  const http = await clientOf((_request, response) => response.writeHead(502).end('<html>'));
  expect(await http.get('/')).toMatchObject({ status: 502, data: '<html>' });
});

test('a response of the longest size is accepted, and one byte more fails the call', async () => {
  const http = await clientOf(({ url }, response) => response.end('x'.repeat(Number(url?.slice(1)))));
  expect((await http.get(`/${MAX_RESPONSE}`)).data).toHaveLength(MAX_RESPONSE);
  await expect(http.get(`/${MAX_RESPONSE + 1}`)).rejects.toThrow('exceeds 1000 bytes');
});

test('a response that is cut off fails the call', async () => {
  const http = await clientOf((_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"a":');
    setTimeout(() => response.destroy(), 20);
  });
  await expect(http.get('/')).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('an aborted call fails as cancelled, before and in the middle of the response', async () => {
  const http = await clientOf(({ url }, response) => {
    if (url === '/begun') response.writeHead(200).write('{');
  });
  for (const path of ['/silent', '/begun'])
    await expect(http.get(path, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
      code: 'ERR_CANCELED',
    });
  await expect(http.get('/', { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ERR_CANCELED',
  });
});
