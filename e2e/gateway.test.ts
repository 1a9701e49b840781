import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { call } from './support/http.ts';
import { describeWithNginx, type Gateway, startGateway } from './support/nginx.ts';
import { sendRaw } from './support/raw-request.ts';
import { type Stack, startStack } from './support/stack.ts';

const ORIGIN = { origin: 'https://shop.example' };
const addressOf = (url: string) => new URL(url).host;
const named = (name: string) => ({ username: name, email: `${name}@example.com`, password: 'securepass123' });

describeWithNginx('the gateway before the shop', () => {
  let stack: Stack;
  let gateway: Gateway;
  let token: string;
  beforeAll(async () => {
    stack = await startStack();
    gateway = await startGateway({
      services: {
        'user-service': [addressOf(stack.user.url)],
        'product-service': [addressOf(stack.product.url)],
        'order-service': [addressOf(stack.order.url)],
      },
    });
    const { body } = await call('POST', `${gateway.url}/api/users/register`, named('gateway-1'));
    token = String(body['tokens']?.['access_token']);
    const description = 'x'.repeat(3000);
    const product = { name: 'Lamp', price: 5, stock: 5, description };
    await call('POST', `${gateway.url}/api/products`, product, { token });
  });
  afterAll(async () => {
    await gateway?.close();
    await stack?.close();
  });

  test('serves all three services at one address', async () => {
    const ways = [
      [stack.user, '/api/users/me'],
      [stack.user, '/.well-known/jwks.json'],
      [stack.product, '/api/products/1'],
      [stack.order, '/api/orders'],
    ] as const;
    for (const [service, path] of ways) {
      const options = { token, headers: { 'x-request-id': 'way-1' } };
      const { status, text } = await call('GET', `${gateway.url}${path}`, undefined, options);
      const direct = await call('GET', `${service.url}${path}`, undefined, options);
      expect([path, status, text]).toEqual([path, direct.status, direct.text]);
    }
    const { body } = await call('GET', `${gateway.url}/health`);
    expect(body).toEqual({ status: 'healthy', service: 'gateway' });
  });

  test.each(['/ready', '/docs', '/openapi.json', '/api/unknown', '/api', '/'])(
    'does not serve %s',
    async (path) => {
      const response = await call('GET', `${gateway.url}${path}`);
      expect([response.status, response.body['code']]).toEqual([404, 'not_found']);
    },
  );

  test('serves the system routes of each service on its port', async () => {
    for (const url of Object.values(gateway.urls))
      for (const path of ['/health', '/ready', '/openapi.json', '/docs'])
        expect((await call('GET', `${url}${path}`)).status).toBe(200);
  });

  test.each([
    '/metrics',
    '/METRICS',
    '/internal/reservations',
    '//internal/reservations',
    '/%69nternal/reservations',
    '/api/../internal/reservations',
    '/internal/x/..%2f..%2fapi/products',
    '/api/products/..%2f..%2finternal/reservations',
  ])('never forwards %s', async (path) => {
    for (const url of [gateway.url, ...Object.values(gateway.urls)]) {
      const { port } = new URL(url);
      for (const method of ['GET', 'PUT', 'OPTIONS']) {
        const text = `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
        expect((await sendRaw(Number(port), text)).status).toBe(404);
      }
    }
  });

  test.each(['PUT', 'DELETE', 'PATCH'])(
    'refuses %s of the import with 405, and imports nothing',
    async (method) => {
      for (const url of [gateway.url, gateway.urls['product-service']]) {
        const response = await fetch(`${url}/api/products/import`, {
          method,
          headers: { 'content-type': 'text/csv', authorization: `Bearer ${token}` },
          body: 'sku,name,price\nA-1,Chair,5\n',
        });
        expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
      }
      expect((await call('GET', `${gateway.url}/api/products?q=chair`)).body['total']).toBe(0);
    },
  );

  test('forwards every method', async () => {
    const product = `${gateway.url}/api/products/1`;
    const changed = await call('PUT', `${product}/stock`, { quantity: 2 }, { token });
    expect(changed.body['product']?.['stock']).toBe(7);
    expect((await call('PATCH', product, { name: 'Lamp 2' }, { token })).status).toBe(200);
    const { body } = await call(
      'POST',
      `${gateway.url}/api/products`,
      { name: 'Short life', price: 1 },
      { token },
    );
    const path = `${gateway.url}/api/products/${body['product']?.['id']}`;
    expect((await call('DELETE', path, undefined, { token })).status).toBe(200);
    expect((await call('HEAD', product)).status).toBe(200);
  });

  test('compresses JSON over 1 kB, with Vary: Accept-Encoding', async () => {
    const path = '/api/products/1';
    const encodings = async (url: string, encoding: string) => {
      const { headers, body } = await call('GET', `${url}${path}`, undefined, {
        headers: { 'accept-encoding': encoding },
      });
      expect(body['product']?.['id']).toBe(1);
      return [headers.get('content-encoding'), headers.get('vary')];
    };
    expect(await encodings(gateway.url, 'gzip')).toEqual(['gzip', 'Accept-Encoding']);
    expect(await encodings(gateway.url, 'identity')).toEqual([null, 'Accept-Encoding']);
    expect(await encodings(stack.product.url, 'gzip')).toEqual([null, null]);
    const small = await call('GET', `${gateway.url}/api/products/categories`);
    expect(small.headers.get('content-encoding')).toBeNull();
  });

  test('accepts the weak ETags of compressed responses', async () => {
    const url = `${gateway.url}/api/products/1`;
    const etag = (await call('GET', url)).headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\//);
    expect((await call('GET', url, undefined, { headers: { 'if-none-match': etag } })).status).toBe(304);
    const options = { token, headers: { 'if-match': etag } };
    expect((await call('PATCH', url, { name: 'Lamp 3' }, options)).status).toBe(200);
    expect((await call('PATCH', url, { name: 'Lamp 4' }, options)).status).toBe(412);
  });

  test.each([
    ['preflights', 'OPTIONS', { 'access-control-request-method': 'PUT' }],
    ['responses', 'GET', {}],
  ])('%s have the CORS headers of the services', async (_what, method, more) => {
    const cors = async (url: string) => {
      const { headers, status } = await call(method, `${url}/api/products/2147483647`, undefined, {
        headers: { ...ORIGIN, ...more },
      });
      return [status, [...headers].filter(([name]) => name.startsWith('access-control'))];
    };
    expect(await cors(gateway.url)).toEqual(await cors(stack.product.url));
  });

  const over16kB = `X: ${'x'.repeat(15_000)}\r\nY: ${'x'.repeat(15_000)}\r\n`;
  test.each([
    ['a request that is not HTTP', 'nonsense\r\n\r\n', 400, 'malformed_request'],
    ['another version', 'GET /api/products HTTP/2.0\r\nHost: x\r\n\r\n', 505, 'http_version_not_supported'],
    ['TRACE', 'TRACE /api/products HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'method_not_allowed'],
    [
      'POST of its health',
      'POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
      405,
      'method_not_allowed',
    ],
    [
      'an address that is too long',
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      414,
      'uri_too_long',
    ],
    [
      'one header over 16 kB',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    [
      'headers that are too large for the service',
      `GET /api/products HTTP/1.1\r\nHost: x\r\n${over16kB}Connection: close\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    [
      'an unknown transfer coding',
      'POST /api/products HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: br\r\n\r\n',
      501,
      'not_implemented',
    ],
    [
      'a body of 200 kB',
      `POST /api/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n${'x'.repeat(200_000)}`,
      413,
      'body_too_large',
    ],
  ])('refuses %s with a problem document and CORS headers', async (_what, text, status, code) => {
    const response = await sendRaw(gateway.port, text);
    expect([response.status, response.body['code']]).toEqual([status, code]);
    expect(response.body).toMatchObject({
      type: `urn:problem-type:${code}`,
      status,
      title: expect.any(String),
      error: response.body['detail'],
      request_id: response.headers.get('x-request-id'),
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'access-control-allow-origin': '*',
      'access-control-expose-headers': expect.stringMatching(/^ETag,X-Request-Id,RateLimit,/),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
  });

  test('logs a request with its fields and without secrets', async () => {
    await call('GET', `${gateway.url}/api/users/me?token=hunter2`, undefined, {
      token,
      headers: { 'x-request-id': 'log-1' },
    });
    const line = (await gateway.log()).find((entry) => entry['request_id'] === 'log-1');
    expect(Object.keys(line ?? {})).toEqual([
      'time',
      'service',
      'request_id',
      'client',
      'method',
      'port',
      'path',
      'status',
      'bytes',
      'seconds',
      'upstream',
      'upstream_status',
    ]);
    expect(line).toMatchObject({ client: '127.0.0.1', method: 'GET', path: '/api/users/me' });
  });
});
