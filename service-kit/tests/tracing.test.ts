import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { defineRoute } from '../src/http/define-route.ts';
import { createHttpClient } from '../src/http/http-client.ts';
import { openDatabase } from '../src/postgres/open-database.ts';
import { createMetrics } from '../src/runtime/metrics.ts';
import { createServiceTokenSigner } from '../src/tokens/service-token.ts';
import { spanOfJob } from '../src/tracing/entry.spans.ts';
import { openTracer } from '../src/tracing/otlp-tracer.ts';
import { currentTraceparent, inSpan, type Tracer } from '../src/tracing/span.ts';
import { type ReceivedSpan, startOtlpReceiver } from '../testing/otlp-receiver.ts';
import { TEST_SERVICE_SECRET } from '../testing/test-tokens.ts';
import { until } from '../testing/until.ts';
import { createRecordingLogger, createTestApp, silent } from './support/test-app.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = `00-${TRACE}-00f067aa0ba902b7-01`;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
beforeEach(async () => {
  receiver = await startOtlpReceiver();
  closing.push(() => receiver.close());
});

function open({ ratio = 1, headers = '', endpoint = receiver.url, logger = silent } = {}): Tracer {
  const tracer = openTracer({ service: 'kit', version: '1.2.3', endpoint, headers, ratio, logger });
  closing.push(() => tracer.close());
  return tracer;
}

/** An app whose routes call another service and the database, and what the other service gets. */
async function openShop(tracer?: Tracer) {
  const seen: IncomingHttpHeaders[] = [];
  const other = createServer((incoming, response) => {
    seen.push(incoming.headers);
    response.writeHead(incoming.url?.startsWith('/broken') ? 500 : 200).end();
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  closing.push(() => other.closeAllConnections() ?? other.close());
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const http = createHttpClient({ target: 'other', url, maxResponse: 1000, metrics: createMetrics('kit') });
  const database = openDatabase(process.env['TEST_DATABASE_URL'] ?? '', 2, silent, { timeLimitFactor: 8 });
  closing.push(() => database.close());
  const all = { summary: 'Of the tests', limit: false, status: 204 } as const;
  const get = { ...all, method: 'get', who: 'anyone' } as const;
  const { app, lines } = createTestApp({
    tracer,
    config: { TIME_LIMIT_FACTOR: 8 },
    routes: [
      defineRoute({
        ...all,
        method: 'post',
        path: '/things/:id',
        who: 'anyone',
        handler: async ({ caller }) => {
          caller.note({ thing_id: 7 });
          await http.get('/path?secret=1');
          await database.query`SELECT ${'a value'}::text FROM pg_database`;
          return undefined;
        },
      }),
      defineRoute({ ...get, path: '/calls', handler: async () => void (await http.get('/')) }),
      defineRoute({ ...get, path: '/broken', handler: async () => void (await http.get('/broken')) }),
      defineRoute({ ...get, path: '/fails', handler: async () => void (await database.query`SELECT 1 / 0`) }),
      defineRoute({
        ...get,
        path: '/internal',
        who: 'service',
        handler: async () => void (await http.get('/')),
      }),
    ],
  });
  return { app, lines, seen };
}

const named = (name: string): ReceivedSpan => {
  const found = receiver.spans.find((span) => span.name === name);
  if (found === undefined) throw new Error(`no span ${name} in ${receiver.spans.map((span) => span.name)}`);
  return found;
};

describe('where nothing is recorded', () => {
  test('the trace of a caller is passed on, and named in the log', async () => {
    const { app, seen, lines } = await openShop();
    await request(app).post('/things/1').set({ traceparent: CALLER, tracestate: 'vendor=1' }).expect(204);
    expect(seen[0]).toMatchObject({ traceparent: CALLER, tracestate: 'vendor=1' });
    expect(lines.find(({ msg }) => msg === 'request')).toMatchObject({ trace_id: TRACE });
    await request(app).get('/calls').set({ traceparent: CALLER }).expect(204);
    expect(seen[1]).not.toHaveProperty('tracestate');
  });

  test.each([
    ['none', {}],
    ['an empty one', { traceparent: '' }],
    ['one with zeros only', { traceparent: `00-${'0'.repeat(32)}-00f067aa0ba902b7-01` }],
    ['one of a version that must not be', { traceparent: CALLER.replace('00-', 'ff-') }],
    ['a very long one', { traceparent: `${CALLER}-${'a'.repeat(600)}` }],
  ])('and with %s nothing is', async (_what, headers) => {
    const { app, seen, lines } = await openShop();
    await request(app).get('/calls').set(headers).expect(204);
    expect(seen[0]).not.toHaveProperty('traceparent');
    expect(lines.find(({ msg }) => msg === 'request')).not.toHaveProperty('trace_id');
  });

  test('a job passes on the trace of its one request', () => {
    const traceOf = (payload: object) =>
      inSpan(spanOfJob(undefined, 'work', payload), () => currentTraceparent());
    expect(traceOf({ traceparent: CALLER })).toBe(CALLER);
    expect(traceOf({ traceparents: [CALLER] })).toBe(CALLER);
    expect(traceOf({ traceparents: [CALLER, CALLER] })).toBeUndefined();
    expect(traceOf({ traceparents: 'x', traceparent: 7 })).toBeUndefined();
  });
});

describe('a recorded trace', () => {
  test('has the request, its calls and its statements, without values', async () => {
    const tracer = open({ headers: 'x-key=a%20b, x-other=c' });
    const { app, seen, lines } = await openShop(tracer);
    await request(app).post('/things/1').set({ traceparent: CALLER, tracestate: 'vendor=1' }).expect(204);
    await tracer.close();
    expect(receiver.treeOf(TRACE)).toEqual([
      'kit: POST /things/:id',
      '  kit: GET other',
      '  kit: SELECT pg_database',
    ]);
    const [server, client, statement] = ['POST /things/:id', 'GET other', 'SELECT pg_database'].map(named);
    expect(server).toMatchObject({ kind: 2, parentSpanId: '00f067aa0ba902b7', isFailed: false });
    expect(server?.attributes).toMatchObject({ 'http.response.status_code': 204, thing_id: 7 });
    expect(client).toMatchObject({ kind: 3, attributes: { 'url.path': '/path', 'peer.service': 'other' } });
    expect(statement?.attributes).toMatchObject({
      'db.system.name': 'postgresql',
      'db.query.text': 'SELECT $1::text FROM pg_database',
    });
    expect(JSON.stringify(receiver.spans)).not.toMatch(/a value|secret=/);
    expect(seen[0]).toMatchObject({
      traceparent: `00-${TRACE}-${client?.spanId}-01`,
      tracestate: 'vendor=1',
    });
    expect(lines.find(({ msg }) => msg === 'request')).toMatchObject({ trace_id: TRACE });
    expect(receiver.headers[0]).toMatchObject({ 'x-key': 'a b', 'x-other': 'c' });
  });

  test('shows what failed, without its message', async () => {
    const tracer = open();
    const { app } = await openShop(tracer);
    await request(app).get('/broken').expect(204);
    await request(app).get('/fails').expect(500);
    await tracer.close();
    expect(named('GET other')).toMatchObject({ isFailed: true, attributes: { 'error.type': 'failed' } });
    expect(named('SELECT')).toMatchObject({ isFailed: true, attributes: { 'error.type': '22012' } });
    expect(named('GET /fails')).toMatchObject({ isFailed: true, attributes: { 'error.type': '500' } });
    expect(named('GET /broken').isFailed).toBe(false);
    expect(JSON.stringify(receiver.spans)).not.toContain('division');
  });

  test('begins with the gateway, at the time that it names', async () => {
    const tracer = open();
    const { app } = await openShop(tracer);
    const now = Date.now();
    const at = (milliseconds: number) => ({ 'x-request-start': `t=${(milliseconds / 1000).toFixed(3)}` });
    await request(app)
      .get('/calls')
      .set(at(now - 100))
      .expect(204);
    await request(app)
      .get('/broken')
      .set(at(now - 100_000))
      .expect(204);
    await request(app).get('/fails').set('x-request-start', 'yesterday').expect(500);
    await tracer.close();
    expect(receiver.treeOf(named('GET /calls').traceId)).toEqual([
      'gateway: GET /calls',
      '  kit: GET /calls',
      '    kit: GET other',
    ]);
    const [gateway, ...others] = receiver.spans.filter(({ service }) => service === 'gateway');
    expect(gateway).toMatchObject({ parentSpanId: undefined, startedAt: expect.closeTo(now - 100) });
    expect(others).toEqual([]);
  });

  test('is begun by requests of clients, not by calls between services', async () => {
    const tracer = open();
    const { app, seen } = await openShop(tracer);
    const token = createServiceTokenSigner(TEST_SERVICE_SECRET, 'caller', 'kit-service')();
    const call = () => request(app).get('/internal').set('authorization', `Bearer ${token}`);
    await call().expect(204);
    expect(seen[0]).not.toHaveProperty('traceparent');
    await call().set({ traceparent: CALLER }).expect(204);
    await request(app).get('/health').expect(200);
    await tracer.close();
    expect(receiver.treeOf(TRACE)).toEqual(['kit: GET /internal', '  kit: GET other']);
    expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(1);
  });

  test('is not recorded when its caller decided so, or by OTEL_TRACES_SAMPLER_ARG', async () => {
    const tracer = open({ ratio: 0 });
    const { app, seen } = await openShop(tracer);
    const without = CALLER.replace(/01$/, '00');
    await request(app).get('/calls').set({ traceparent: without }).expect(204);
    expect(seen[0]?.['traceparent']).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
    await request(app).get('/calls').expect(204);
    expect(seen[1]?.['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    await request(app).post('/things/1').set({ traceparent: CALLER }).expect(204);
    await tracer.close();
    expect(receiver.spans.map(({ name }) => name).toSorted()).toEqual([
      'GET other',
      'POST /things/:id',
      'SELECT pg_database',
    ]);
  });

  test('continues with the job of one request, and is linked to that of several', async () => {
    const tracer = open();
    const second = CALLER.replace(TRACE, 'a'.repeat(32));
    for (const traceparents of [[CALLER], [CALLER, second, 'nonsense'], []])
      spanOfJob(tracer, `of ${traceparents.length}`, { traceparents })?.end({}, new Error('x'));
    await tracer.close();
    expect(named('job of 1')).toMatchObject({ traceId: TRACE, kind: 5, links: [], isFailed: true });
    const shared = named('job of 3');
    expect(shared.links.map(({ traceId }) => traceId)).toEqual([TRACE, 'a'.repeat(32)]);
    expect([TRACE, 'a'.repeat(32)]).not.toContain(shared.traceId);
    expect(named('job of 0')).toMatchObject({ parentSpanId: undefined, links: [] });
  });
});

test('a receiver that is unavailable costs lines in the log, and no request', async () => {
  await receiver.close();
  const { logger, lines } = createRecordingLogger();
  const tracer = open({ logger });
  const { app } = await openShop(tracer);
  await request(app).get('/calls').expect(204);
  await until('it is logged', () => lines.some(({ msg }) => msg === 'traces'));
  expect(lines.find(({ msg }) => msg === 'traces')).toMatchObject({ level: 'warn' });
  await request(app).get('/calls').expect(204);
});
