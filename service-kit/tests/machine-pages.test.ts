import { describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import request from 'supertest';
import { z } from 'zod';
import { defineError } from '../src/errors/app-error.ts';
import { defineRoute } from '../src/http/define-route.ts';
import { amount, idParams, instant, integerQuery, text } from '../src/http/fields.ts';
import { createMoney } from '../src/money/money.ts';
import type { HealthOptions } from '../src/runtime/health.ts';
import { createTestApp } from './support/test-app.ts';

const NotFound = defineError(404, 'thing_not_found', 'Thing not found');
const Taken = defineError(409, 'name_taken', 'Name taken');
const Stale = defineError(409, 'version_mismatch', 'Stale');

const answer = z.object({ id: z.int(), at: instant });
const routes = [
  defineRoute({
    method: 'put',
    path: '/things/:id',
    summary: 'Change a thing',
    who: 'user',
    only: 'its owner',
    limit: 'writes',
    params: idParams,
    query: z.object({ depth: integerQuery('depth', { min: 1, max: 9 }).optional() }),
    headers: z.object({ 'if-match': z.string().optional() }),
    body: z.strictObject({
      name: text('Name', { max: 9 }),
      price: amount('Price', createMoney('USD')).optional(),
    }),
    status: 200,
    answer,
    errors: [NotFound, Taken, Stale],
    handler: () => ({ id: 1, at: new Date() }),
  }),
  defineRoute({
    method: 'get',
    path: '/things/:id',
    summary: 'Show a thing',
    who: 'anyone',
    limit: false,
    params: idParams,
    status: 200,
    answer,
    handler: () => ({ id: 1, at: new Date() }),
  }),
  defineRoute({
    method: 'delete',
    path: '/things',
    summary: 'Remove all',
    who: 'admin',
    limit: false,
    status: 204,
    handler: () => undefined,
  }),
  defineRoute({
    method: 'post',
    path: '/internal/things',
    summary: 'For services',
    who: 'service',
    limit: false,
    status: 299,
    handler: () => undefined,
  }),
];
const limits = { writes: { max: 9, seconds: 60, withoutRedis: 'pass' as const } };
const { app } = createTestApp({ routes, config: { limits } });

describe('GET /openapi.json', () => {
  test('is a valid OpenAPI 3.1 document', async () => {
    const { body, headers } = await request(app).get('/openapi.json');
    expect(headers['content-type']).toContain('application/json');
    const validator = new Validator();
    expect(await validator.validate(body)).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    expect(body.info).toMatchObject({ title: 'kit-service', description: 'Routes of the tests.' });
  });

  test('tells of each call who may make it, what it takes and what it answers', async () => {
    const { body } = await request(app).get('/openapi.json');
    const { put, get } = body.paths['/things/{id}'];
    expect(put).toMatchObject({ summary: 'Change a thing', security: [{ accessToken: [] }] });
    expect(put.description).toBe('Signed-in users, only its owner.');
    expect(put.parameters).toEqual([
      expect.objectContaining({ name: 'id', in: 'path', required: true }),
      expect.objectContaining({ name: 'depth', in: 'query', required: false }),
      expect.objectContaining({ name: 'if-match', in: 'header', required: false }),
    ]);
    expect(put.parameters[0].schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 2_147_483_647 });
    const sent = put.requestBody.content['application/json'].schema;
    expect(sent).toMatchObject({ required: ['name'], additionalProperties: false });
    expect(sent.properties.name).toMatchObject({ type: 'string', maxLength: 9 });
    expect(sent.properties.price).toMatchObject({ type: 'number' });
    expect(Object.keys(put.responses)).toEqual(['200', '400', '401', '404', '409', '429']);
    expect(put.responses[409].description).toBe('name_taken, version_mismatch');
    const shown = put.responses[200].content['application/json'].schema;
    expect(shown.properties.at).toMatchObject({ type: 'string', format: 'date-time' });
    expect(get).not.toHaveProperty('security');
    expect(get).not.toHaveProperty('requestBody');
    expect(Object.keys(body.paths['/things'].delete.responses)).toEqual(['204', '401', '403']);
  });

  test('does not tell what services say to each other', async () => {
    const { body } = await request(app).get('/openapi.json');
    expect(Object.keys(body.paths)).toEqual(['/things/{id}', '/things']);
  });
});

describe('GET /docs', () => {
  test('is a page that loads from this host only', async () => {
    const page = await request(app).get('/docs');
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.text).toContain('<title>kit-service API</title>');
    const addresses = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(addresses).toHaveLength(4);
    for (const address of addresses) {
      expect(address).toMatch(/^\/docs\//);
      expect((await request(app).get(address)).status).toBe(200);
    }
  });

  test('starts with the document of this service', async () => {
    const script = await request(app).get('/docs/start.js');
    expect(script.headers['content-type']).toContain('javascript');
    expect(script.text).toContain("url: '/openapi.json'");
  });

  test.each(['package.json', 'index.html', 'swagger-initializer.js', '..%2fpackage.json', '%2e%2e'])(
    'does not serve %s',
    async (name) => expect((await request(app).get(`/docs/${name}`)).status).toBe(404),
  );
});

test('GET /metrics is Prometheus text about process and requests', async () => {
  const page = await request(app).get('/metrics');
  expect(page.headers['content-type']).toContain('text/plain');
  expect(page.headers['cache-control']).toBe('no-store');
  expect(page.text).toContain('process_cpu_seconds_total');
  expect(page.text).toMatch(/# TYPE http_request_duration_seconds histogram/);
});

describe('CORS', () => {
  const preflight = (to: typeof app, origin: string) =>
    request(to).options('/things/1').set('Origin', origin).set('Access-Control-Request-Method', 'PUT');

  test('lets everybody in without credentials by default', async () => {
    const { status, headers } = await preflight(app, 'https://shop.example');
    expect(status).toBe(204);
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
    expect(headers['access-control-allow-headers']).toBe(
      'Authorization,Content-Type,Idempotency-Key,If-Match,If-None-Match,X-Request-Id',
    );
    expect(headers['access-control-allow-methods']).toBe('GET,HEAD,POST,PUT,PATCH,DELETE');
    const plain = await request(app).get('/things/1').set('Origin', 'https://shop.example');
    expect(plain.headers['access-control-expose-headers']).toBe(
      'ETag,X-Request-Id,RateLimit,RateLimit-Policy,Retry-After,Idempotent-Replayed,Location,Cache-Status,Content-Disposition',
    );
  });

  test('lets only the listed origins in, with credentials', async () => {
    const config = { CORS_ORIGINS: 'https://shop.example, https://admin.example', limits };
    const listed = createTestApp({ routes, config }).app;
    const good = (await preflight(listed, 'https://admin.example')).headers;
    expect(good).toMatchObject({
      'access-control-allow-origin': 'https://admin.example',
      'access-control-allow-credentials': 'true',
    });
    const bad = (await preflight(listed, 'https://evil.example')).headers;
    expect(bad).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('health', () => {
  const up = async () => 'fine';
  const down = async () => {
    throw new Error('hunter2');
  };
  const ready = (health: Partial<Omit<HealthOptions, 'service'>>) => {
    const all = { required: { database: up }, optional: { redis: up }, isStopping: () => false, ...health };
    return request(createTestApp({ routes: [], health: all }).app).get('/ready');
  };

  test('is told while the process lives', async () => {
    const { status, body, headers } = await request(app).get('/health');
    expect([status, body]).toEqual([200, { status: 'healthy', service: 'kit-service' }]);
    expect(headers['cache-control']).toBe('no-store');
  });

  test('is ready when all is there', async () => {
    const { status, body } = await ready({});
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'ready', stopping: false, checks: { database: 'ok', redis: 'ok' } });
  });

  test('is degraded, and still ready, without what is optional', async () => {
    const { status, body, text: said } = await ready({ optional: { redis: down } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'degraded', checks: { database: 'ok', redis: 'down' } });
    expect(said).not.toContain('hunter2');
  });

  const throwing = () => {
    throw new Error('at once');
  };
  const hanging = () => new Promise(() => undefined);
  test.each([
    ['fails', down],
    ['fails at once', throwing],
    ['hangs', hanging],
  ])('is not ready when a check it needs %s', async (_how, check) => {
    const { status, body } = await ready({ required: { database: check } });
    expect(status).toBe(503);
    expect(body).toMatchObject({ status: 'unavailable', checks: { database: 'down', redis: 'ok' } });
  });

  test('is not ready once a stop was asked for', async () => {
    const { status, body } = await ready({ isStopping: () => true });
    expect(status).toBe(503);
    expect(body).toMatchObject({ status: 'unavailable', stopping: true, checks: { database: 'ok' } });
  });
});
