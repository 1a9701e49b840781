import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { defineRoute } from '../src/http/define-route.ts';
import { createHttpClient } from '../src/http/http-client.ts';
import { openDatabase } from '../src/postgres/open-database.ts';
import { observePool } from '../src/postgres/pool.metrics.ts';
import { createMetrics } from '../src/runtime/metrics.ts';
import { until } from '../testing/until.ts';
import { createTestApp, silent } from './support/test-app.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** The value of a series, named without the label of the service. */
const read = async ({ registry }: ReturnType<typeof createMetrics>, series: string) => {
  const text = (await registry.metrics())
    .replaceAll(/service="kit",?/g, '')
    .replaceAll(',}', '}')
    .replaceAll('{}', '');
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};

describe('the pool', () => {
  const open = (max: number) => {
    const metrics = createMetrics('kit');
    const database = openDatabase(process.env['TEST_DATABASE_URL'] ?? '', max, silent);
    closing.push(() => database.close());
    observePool(database.pool, metrics.registry);
    return { ...database, metrics };
  };

  test('shows what is used, what is free and who waits, and for how long callers waited', async () => {
    const { pool, query, metrics } = open(1);
    const held = await pool.connect();
    expect(await read(metrics, 'database_pool_connections{state="used"}')).toBe(1);
    const waiting = query`SELECT 1`;
    expect(await read(metrics, 'database_pool_waiting')).toBe(1);
    held.release();
    await waiting;
    expect(await read(metrics, 'database_pool_waiting')).toBe(0);
    expect(await read(metrics, 'database_pool_connections{state="used"}')).toBe(0);
    expect(await read(metrics, 'database_pool_connections{state="idle"}')).toBe(1);
    expect(await read(metrics, 'database_pool_connections{state="limit"}')).toBe(1);
    // One waited for a new connection, the other for that one.
    expect(await read(metrics, 'database_pool_wait_seconds_count')).toBe(2);
    await query`SELECT 1`;
    expect(await read(metrics, 'database_pool_wait_seconds_count')).toBe(2);
  });
});

describe('calls to other services', () => {
  const clientOf = async (respond: RequestListener) => {
    const server: Server = createServer(respond).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.closeAllConnections() ?? server.close());
    const metrics = createMetrics('kit');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { metrics, http: createHttpClient({ target: 'other', url, maxResponse: 1000, metrics }) };
  };
  const calls = (result: string) => `outbound_call_duration_seconds_count{target="other",result="${result}"}`;

  test.each([
    [200, 'ok'],
    [404, 'refused'],
    [503, 'failed'],
  ])('with the status %d count as %s', async (status, result) => {
    const { http, metrics } = await clientOf((_request, response) => response.writeHead(status).end());
    expect((await http.get('/')).status).toBe(status);
    expect(await read(metrics, calls(result))).toBe(1);
  });

  test('without a response count as timeout or unreachable', async () => {
    const { http, metrics } = await clientOf((incoming) => {
      if (incoming.url === '/lost') incoming.destroy();
    });
    await expect(http.get('/slow', { signal: AbortSignal.timeout(50) })).rejects.toThrow();
    await expect(http.get('/lost')).rejects.toThrow();
    expect(await read(metrics, calls('timeout'))).toBe(1);
    expect(await read(metrics, calls('unreachable'))).toBe(1);
  });
});

test('a request that a limit refuses is counted by the name of the limit', async () => {
  const { app, metrics } = createTestApp({
    routes: [
      defineRoute({
        method: 'get',
        path: '/limited',
        summary: 'Once a minute',
        who: 'anyone',
        limit: 'once',
        status: 204,
        handler: () => undefined,
      }),
    ],
    config: { limits: { once: { max: 1, seconds: 60, withoutRedis: 'pass' } } },
  });
  const rejected = () => read(metrics, 'requests_rejected_total{limit="once"}');
  await request(app).get('/limited').expect(204);
  expect(await rejected()).toBe(0);
  await request(app).get('/limited').expect(429);
  expect(await rejected()).toBe(1);
});

test('dependencies are up or down, as /ready reports them', async () => {
  let isUp = true;
  const check = async () => {
    if (!isUp) throw new Error('away');
  };
  const { metrics } = createTestApp({
    routes: [],
    checks: { required: { database: check }, optional: { redis: async () => undefined } },
  });
  expect(await read(metrics, 'dependency_up{dependency="database"}')).toBe(1);
  isUp = false;
  expect(await read(metrics, 'dependency_up{dependency="database"}')).toBe(0);
  expect(await read(metrics, 'dependency_up{dependency="redis"}')).toBe(1);
});

test('the build and the delay of the event loop are shown', async () => {
  const metrics = createMetrics('kit', { BUILD_VERSION: '1.2.3', BUILD_REVISION: 'abc' });
  const node = process.versions.node;
  expect(await read(metrics, `build_info{version="1.2.3",revision="abc",node="${node}"}`)).toBe(1);
  await until(
    'a delay was measured',
    async () => ((await read(metrics, 'nodejs_eventloop_lag_p99_seconds')) ?? 0) > 0,
  );
});
