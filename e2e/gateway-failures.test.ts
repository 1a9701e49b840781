import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { call, observers } from './support/http.ts';
import { describeWithNginx, type Gateway, startGateway } from './support/nginx.ts';
import { freePort } from './support/process.ts';

// The replicas are substitutes whose responses are not in the API document.
observers.splice(0);

const ORIGIN = { origin: 'https://shop.example' };

describeWithNginx('the gateway before replicas that fail', () => {
  let gateway: Gateway;
  let replicas: Server[];
  let received: { method: string; headers: Record<string, unknown> }[];
  let fails = true;
  beforeAll(async () => {
    received = [];
    // Each reads the whole request and then closes the connection, like a process that is killed.
    replicas = [1, 2].map(() =>
      createServer((request, response) => {
        request.resume().once('end', () => {
          received.push({ method: request.method ?? '', headers: request.headers });
          if (fails) request.socket.destroy();
          else response.end('{}');
        });
      }).listen(0, '127.0.0.1'),
    );
    await Promise.all(replicas.map((replica) => once(replica, 'listening')));
    const addresses = replicas.map((replica) => `127.0.0.1:${(replica.address() as AddressInfo).port}`);
    const noReplica = [`127.0.0.1:${await freePort()}`];
    gateway = await startGateway({
      services: { 'user-service': noReplica, 'product-service': addresses, 'order-service': noReplica },
      env: { CORS_ORIGINS: 'https://admin.example,https://shop.example' },
    });
  });
  afterAll(async () => {
    await gateway?.close();
    for (const replica of replicas) replica.close();
  });
  const ask = async (method: string, path: string) => {
    received.splice(0);
    fails = true;
    const body = method === 'GET' ? undefined : {};
    return call(method, `${gateway.url}${path}`, body, { headers: ORIGIN });
  };

  test.each([
    ['POST', '/api/products'],
    ['PUT', '/api/products/1/stock'],
    ['PATCH', '/api/products/1'],
    ['DELETE', '/api/products/1'],
    ['POST', '/api/products/import'],
    ['PUT', '/api/products/import'],
  ])('%s %s is sent once', async (method, path) => {
    expect((await ask(method, path)).status).toBe(502);
    expect(received.map((request) => request.method)).toEqual([method]);
  });

  test('GET is retried at the other replica', async () => {
    expect((await ask('GET', '/api/products')).status).toBe(502);
    expect(received).toHaveLength(2);
  });

  test.each(['GET', 'PUT'])(
    'the failure of %s is a problem document that the listed origins can read',
    async (method) => {
      const { status, headers, body } = await ask(method, '/api/products/1');
      expect(body).toMatchObject({ status, code: 'unavailable', title: 'Bad Gateway' });
      expect(Object.fromEntries(headers)).toMatchObject({
        'retry-after': '1',
        vary: 'Origin',
        'access-control-allow-origin': ORIGIN.origin,
        'access-control-allow-credentials': 'true',
      });
      const stranger = await call(
        method,
        `${gateway.url}/api/products/1`,
        method === 'GET' ? undefined : {},
        {
          headers: { origin: 'https://evil.example' },
        },
      );
      expect(stranger.headers.get('access-control-allow-origin')).toBeNull();
    },
  );

  test('a preflight succeeds while the service is down, so that browsers can read the problem', async () => {
    const headers = { ...ORIGIN, 'access-control-request-method': 'POST' };
    const { status } = await call('OPTIONS', `${gateway.url}/api/orders`, undefined, { headers });
    expect(status).toBe(204);
    expect((await call('POST', `${gateway.url}/api/orders`, {}, { headers: ORIGIN })).body['status']).toBe(
      502,
    );
  });

  test('calls between services are not forwarded', async () => {
    fails = false;
    received.splice(0);
    const inner = {
      'x-request-deadline-ms': '9',
      forwarded: 'for=x',
      'x-forwarded-host': 'x',
      'x-forwarded-for': 'x',
    };
    for (const method of ['GET', 'PUT'])
      await call(method, `${gateway.url}/api/products/1`, method === 'GET' ? undefined : {}, {
        headers: inner,
      });
    expect(received).toHaveLength(2);
    for (const { headers } of received) {
      for (const name of ['x-request-deadline-ms', 'forwarded', 'x-forwarded-host'])
        expect(headers).not.toHaveProperty([name]);
      expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    }
  });
});
