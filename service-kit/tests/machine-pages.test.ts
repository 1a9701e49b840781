import { describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import request from 'supertest';
import { z } from 'zod';
import { defineError, type ErrorExtras } from '../src/errors/app-error.ts';
import { defineRoute } from '../src/http/define-route.ts';
import {
  amount,
  clearable,
  id,
  idParams,
  instantOf,
  integerQuery,
  optional,
  text,
} from '../src/http/fields.ts';
import { createMoney } from '../src/money/money.ts';
import type { HealthOptions } from '../src/runtime/health.ts';
import { createTestApp } from './support/test-app.ts';

const NotFound = defineError(404, 'thing_not_found', 'Thing not found');
const Stale = defineError(409, 'version_mismatch', 'Stale');
const Taken = defineError(
  409,
  'name_taken',
  (name: string) => `The name ${name} is taken`,
  (name): ErrorExtras => ({ members: { taken: name } }),
  { sample: ['Lamp'], members: z.object({ taken: z.string().meta({ maxLength: 9 }) }) },
);

const response = z
  .object({ id: id('Id of the thing.'), at: instantOf('When it was changed.'), next: z.string().optional() })
  .meta({ id: 'Thing' });
const routes = [
  defineRoute({
    method: 'put',
    path: '/things/:id',
    operationId: 'changeThing',
    tag: 'Things',
    summary: 'Change a thing',
    description: 'All of it.',
    who: 'user',
    only: 'its owner',
    limit: 'writes',
    params: idParams,
    query: z.object({ depth: integerQuery('depth', { min: 1, max: 9 }).optional() }),
    headers: z.object({ 'if-match': z.string().optional() }),
    body: z.strictObject({
      name: text('Name', { max: 9 }).meta({ examples: ['Lamp'] }),
      price: amount('Price', createMoney('USD')).optional(),
      note: optional(text('Note', { max: 9 })).meta({ description: 'About it.' }),
      colour: clearable(text('Colour', { max: 9 }), null),
    }),
    responseHeaders: ['Location'],
    status: 200,
    response,
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
    conditional: true,
    status: 200,
    response,
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

  test('describes of each operation who may call it, what it takes and what it returns', async () => {
    const { body } = await request(app).get('/openapi.json');
    const { put, get } = body.paths['/things/{id}'];
    expect(put).toMatchObject({
      operationId: 'changeThing',
      tags: ['Things'],
      summary: 'Change a thing',
      description: 'All of it.\n\nAccess: Signed-in users, only its owner.',
      security: [{ accessToken: [] }],
    });
    expect(put.parameters).toEqual([
      expect.objectContaining({ name: 'id', in: 'path', required: true, example: 1 }),
      expect.objectContaining({ name: 'depth', in: 'query', required: false }),
      expect.objectContaining({ name: 'If-Match', in: 'header', required: false }),
    ]);
    expect(put.parameters[0].schema).toEqual({
      type: 'integer',
      format: 'int32',
      minimum: 1,
      maximum: 2_147_483_647,
      examples: [1],
    });
    const { schema, example } = put.requestBody.content['application/json'];
    expect(schema).toMatchObject({ required: ['name'], additionalProperties: false });
    expect(schema.properties).toMatchObject({
      name: { type: 'string', maxLength: 9 },
      price: { type: 'number', minimum: 0, maximum: 9_999_999_999.99 },
      note: { type: ['string', 'null'], maxLength: 9, description: 'About it.' },
      colour: { type: ['string', 'null'], maxLength: 9 },
    });
    expect(example).toEqual({ name: 'Lamp' });
    expect(get.security).toEqual([]);
    expect(get).not.toHaveProperty('requestBody');
  });

  test('describes responses by named components, with their headers', async () => {
    const { body } = await request(app).get('/openapi.json');
    const { put, get } = body.paths['/things/{id}'];
    expect(Object.keys(put.responses[200].headers)).toEqual([
      'X-Request-Id',
      'Location',
      'RateLimit',
      'RateLimit-Policy',
    ]);
    expect(put.responses[200].content['application/json']).toEqual({
      schema: { $ref: '#/components/schemas/Thing' },
      example: { id: 1, at: '2026-11-26T10:15:00.000Z' },
    });
    expect(body.components.schemas.Thing.properties.at).toMatchObject({
      type: 'string',
      format: 'date-time',
      description: 'When it was changed.',
    });
    expect(Object.keys(get.responses)).toEqual(['200', '304', '400', 'default']);
    expect(Object.keys(get.responses[304].headers)).toEqual(['X-Request-Id', 'ETag']);
    expect(get.parameters.at(-1)).toMatchObject({ name: 'If-None-Match', in: 'header' });
  });

  test('names the codes that each operation may fail with, and what comes with them', async () => {
    const { body } = await request(app).get('/openapi.json');
    const { put } = body.paths['/things/{id}'];
    const { schemas, responses } = body.components;
    expect(Object.keys(put.responses)).toEqual([
      '200',
      '400',
      '401',
      '404',
      '409',
      '413',
      '415',
      '429',
      'default',
    ]);
    expect(put.responses[409]).toEqual({ $ref: '#/components/responses/NameTakenOrVersionMismatch' });
    const conflict = responses.NameTakenOrVersionMismatch;
    expect(conflict.description).toBe('Conflict: `name_taken`, `version_mismatch`');
    const { schema, examples } = conflict.content['application/problem+json'];
    expect(schema.oneOf).toEqual([
      { $ref: '#/components/schemas/NameTakenProblem' },
      { $ref: '#/components/schemas/VersionMismatchProblem' },
    ]);
    expect(examples.name_taken.value).toMatchObject({ detail: 'The name Lamp is taken', taken: 'Lamp' });
    expect(schemas.NameTakenProblem.allOf[1]).toMatchObject({
      properties: { code: { const: 'name_taken' }, taken: { type: 'string' } },
      required: ['code', 'taken'],
    });
    expect(schemas.Problem.properties.code.enum).toEqual(
      expect.arrayContaining(['name_taken', 'validation_failed', 'internal']),
    );
    expect(schemas.Problem.properties.details.items.anyOf).toEqual([
      { $ref: '#/components/schemas/FieldIssue' },
      { $ref: '#/components/schemas/ShortLine' },
    ]);
    expect(schemas.Problem.properties).toHaveProperty('taken');
    expect(schemas.Problem.required).not.toContain('taken');
    expect(Object.keys(responses.RateLimited.headers)).toContain('Retry-After');
    expect(Object.keys(body.paths['/things'].delete.responses)).toEqual([
      '204',
      '400',
      '401',
      '403',
      'default',
    ]);
  });

  test('leaves out what services call of each other', async () => {
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
    expect(script.text).toContain("fetch('/openapi.json')");
  });

  test('links the pages of the other services where these have their usual ports', async () => {
    const linksAt = async (host: string) => {
      const { text: page } = await request(app).get('/docs').set('Host', host);
      return [...page.matchAll(/href="(http[^"]+)"/g)].map((match) => match[1]);
    };
    const all = [5001, 5002, 5003].map((port) => `http://shop.test:${port}/docs`);
    expect(await linksAt('shop.test:5002')).toEqual(all);
    expect(await linksAt('[::1]:5001')).toContain('http://[::1]:5003/docs');
    expect(await linksAt('shop.test')).toEqual([]);
    expect(await linksAt('shop.test:8080')).toEqual([]);
    expect(await linksAt('"><script>:5001')).toEqual([]);
  });

  test('is where / leads', async () => {
    const { status, headers } = await request(app).get('/');
    expect([status, headers['location']]).toEqual([302, '/docs']);
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
