import { describe, expect, test } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import request from 'supertest';
import { thingApp as app } from './support/documented-things.ts';

describe('GET /openapi.json', () => {
  test('is a valid OpenAPI 3.1 document', async () => {
    const { body, headers } = await request(app).get('/openapi.json');
    expect(headers['content-type']).toContain('application/json');
    const validator = new Validator();
    expect(await validator.validate(body)).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    expect(body.info).toMatchObject({ title: 'kit-service', description: 'Routes of the tests.' });
  });

  test('documents access, parameters, body and example of each operation', async () => {
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

  test('documents responses as named components, with their headers', async () => {
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

  test('lists the error codes of each operation, with their members', async () => {
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
    expect(schemas.Problem.properties.details.anyOf).toMatchObject([
      { items: { $ref: '#/components/schemas/FieldIssue' } },
      { items: { type: 'string' } },
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

  test('leaves out calls between services', async () => {
    const { body } = await request(app).get('/openapi.json');
    expect(Object.keys(body.paths)).toEqual(['/things/{id}', '/things']);
  });
});
