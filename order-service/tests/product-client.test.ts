import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { withinTime } from '@shop/service-kit/deadline/deadline';
import { createMetrics } from '@shop/service-kit/runtime/metrics';
import { withClockSetBack } from '@shop/service-kit/testing/clock';
import { until } from '@shop/service-kit/testing/until';
import { createProductClient } from '../src/clients/product.client.ts';
import { ProductServiceUnavailable } from '../src/clients/product.errors.ts';

let server: Server | undefined;
afterEach(async () => {
  if (server === undefined) return;
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  server = undefined;
});

/** A server in place of product-service, and a client for it. */
async function clientOf(response: RequestListener) {
  server = createServer(response).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return createProductClient({
    url,
    serviceTokenSecret: 'secret-of-the-services',
    currency: 'USD',
    metrics: createMetrics('order-service'),
  });
}

const ITEMS = [{ product_id: 1, quantity: 1 }];
const wanted = (reservationId: string = randomUUID()) => ({
  orderId: 1,
  reservationId,
  items: ITEMS,
});
const ID = randomUUID();
const held = {
  currency: 'USD',
  reservations: [{ id: ID, status: 'HELD', lines: [] as unknown, refusal: null }],
};

describe('the client of product-service', () => {
  test.each([
    ['an unexpected status', 418, held],
    ['another currency', 200, { ...held, currency: 'EUR' }],
    ['another shape', 200, { ...held, reservations: [{ ...held.reservations[0], lines: 'many' }] }],
    ['a page instead of JSON', 200, '<html>'],
    ['a redirect', 302, held],
  ])('refuses a response with %s', async (_name, status, body) => {
    const client = await clientOf((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json', location: 'http://127.0.0.1:1/' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
    await expect(client.reserve([wanted()], 'test', false)).rejects.toThrow(ProductServiceUnavailable);
    client.close();
  });

  test('retries with the same reservation id after a lost response, and passes the request id on', async () => {
    const asked: string[] = [];
    const client = await clientOf((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        asked.push(`${request.headers['x-request-id']} ${JSON.parse(text).reservations[0].reservation_id}`);
        if (asked.length === 1) request.socket.destroy();
        else response.setHeader('content-type', 'application/json').end(JSON.stringify(held));
      });
    });
    expect(await client.reserve([wanted(ID)], 'request-7', false)).toMatchObject([{ status: 'HELD' }]);
    expect(asked).toEqual([`request-7 ${ID}`, `request-7 ${ID}`]);
    client.close();
  });

  test('stops calling a service that does not respond for a while', async () => {
    let asked = 0;
    const client = await clientOf(() => {
      asked += 1;
    });
    const quote = () => withinTime(1900, () => client.quote([ITEMS], 'test')).catch(() => undefined);
    await Promise.all([1, 2, 3, 4, 5].map(quote));
    expect(client.isDown()).toBe(true);
    await expect(client.reserve([wanted()], 'test', false)).rejects.toThrow('Product service unavailable');
    expect(asked).toBe(5);
    client.close();
  });

  test('tries again a second later, also if the clock was set back in between', async () => {
    let isAway = true;
    const client = await clientOf((request, response) => {
      if (isAway) request.socket.destroy();
      else response.setHeader('content-type', 'application/json').end(JSON.stringify(held));
    });
    while (!client.isDown()) await client.quote([ITEMS], 'test').catch(() => undefined);
    isAway = false;
    const tryAgain = async () => {
      await until('it is tried again', () => !client.isDown());
      return client.reserve([wanted(ID)], 'test', false);
    };
    expect(await withClockSetBack(tryAgain)).toMatchObject([{ status: 'HELD' }]);
    client.close();
  });

  test('gives a call the time that its request has left, minus a reserve', async () => {
    const limits: number[] = [];
    const client = await clientOf((request, response) => {
      limits.push(Number(request.headers['x-request-deadline-ms']));
      response.setHeader('content-type', 'application/json').end(JSON.stringify(held));
    });
    await withinTime(1700, () => client.reserve([wanted(ID)], 'test', false));
    await withinTime(60_000, () => client.reserve([wanted(ID)], 'test', false));
    const [first = 0, second = 0] = limits;
    expect(first).toBeGreaterThan(900);
    expect(first).toBeLessThanOrEqual(1500);
    expect(second).toBe(2000);
    client.close();
  });

  test('requests quotes one by one from a product-service without lists of quotes', async () => {
    const quote = { lines: [], refusal: null };
    const client = await clientOf((request, response) => {
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        const isList = 'quotes' in JSON.parse(text);
        response.writeHead(isList ? 400 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(isList ? { code: 'validation_failed' } : { ...quote, currency: 'USD' }));
      });
    });
    expect(await client.quote([ITEMS, ITEMS], 'test')).toMatchObject([quote, quote]);
    client.close();
  });

  test('says that a product-service of an earlier release cannot list statuses', async () => {
    const client = await clientOf((_request, response) => {
      response.writeHead(404, { 'content-type': 'application/problem+json' }).end('{"code":"not_found"}');
    });
    await expect(client.statusesOf([ID], 'test')).rejects.toThrow('earlier release');
    client.close();
  });

  test('treats an error as an unusable response', async () => {
    let status = 401;
    const client = await clientOf((_request, response) => {
      response.writeHead(status).end();
    });
    await expect(client.confirm({ reservationIds: [ID], requestId: 'test' })).rejects.toThrow(
      ProductServiceUnavailable,
    );
    await expect(client.release({ reservationId: ID, requestId: 'test' })).rejects.toThrow(
      ProductServiceUnavailable,
    );
    status = 503;
    await expect(client.release({ reservationId: ID, requestId: 'test' })).rejects.toThrow(
      ProductServiceUnavailable,
    );
    client.close();
  });

  test.each([
    ['product_busy', false],
    ['unavailable', true],
  ])('ten responses 503 %s: it counts as down: %s', async (code, isDown) => {
    let calls = 0;
    const client = await clientOf((_request, response) => {
      calls += 1;
      response.writeHead(503, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ code }));
    });
    for (let i = 0; i < 10; i++)
      await expect(client.reserve([wanted()], 'test', true)).rejects.toThrow(Error);
    expect(client.isDown()).toBe(isDown);
    if (isDown) expect(calls).toBeLessThan(10);
    else expect(calls).toBe(10);
    client.close();
  });
});
