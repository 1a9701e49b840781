import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { BodyTooLarge, RequestTimedOut, UnsupportedMediaType } from '../errors/http-errors.ts';
import type { Route } from './define-route.ts';

export interface ApiDescription {
  service: string;
  description: string;
}

type Json = Record<string, unknown>;

const problem = { $ref: '#/components/schemas/Problem' };

/** The OpenAPI 3.1 document of a service, from its route declarations. */
export function openApiDocument({ service, description }: ApiDescription, routes: Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes.filter(({ who }) => who !== 'service')) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: service, version: '1.0.0', description },
    servers: [{ url: '/' }],
    paths,
    components: {
      securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { Problem: jsonSchema(problemSchema, 'output') },
    },
  };
}

const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  error: z.string(),
  request_id: z.string(),
  errors: z.array(z.string()).optional(),
  details: z.array(z.looseObject({})).optional(),
});

function operationOf(route: Route): Json {
  const rules = { user: 'Signed-in users', admin: 'Admins', service: 'Services', anyone: 'Anyone' }[
    route.who
  ];
  const parameters = [
    ...parametersOf('path', route.params),
    ...parametersOf('query', route.query),
    ...parametersOf('header', route.headers),
  ];
  return {
    summary: route.summary,
    description: `${rules}${route.only === undefined ? '' : `, only ${route.only}`}.`,
    ...(route.who === 'anyone' ? {} : { security: [{ accessToken: [] }] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBodyOf(route),
    responses: responsesOf(route),
  };
}

function requestBodyOf({ body, stream }: Route): Json {
  if (stream !== undefined) return { requestBody: { required: true, content: bytes(stream.types) } };
  return body === undefined
    ? {}
    : { requestBody: { required: true, content: json(jsonSchema(body, 'input')) } };
}

function responsesOf(route: Route): Json {
  const good = {
    description: STATUS_CODES[route.status] ?? 'OK',
    ...(route.answer === undefined ? {} : { content: json(jsonSchema(route.answer, 'output')) }),
    ...(route.answerTypes === undefined ? {} : { content: bytes(route.answerTypes) }),
  };
  const codes = new Map<number, string[]>();
  const expect = (status: number, code: string) => codes.set(status, [...(codes.get(status) ?? []), code]);
  if (route.params ?? route.query ?? route.body ?? route.headers) expect(400, 'validation_failed');
  if (route.who !== 'anyone') expect(401, 'unauthenticated');
  if (route.who === 'admin') expect(403, 'forbidden');
  if (route.limit !== false) expect(429, 'rate_limited');
  if (route.stream !== undefined) {
    for (const { status, code } of [RequestTimedOut, BodyTooLarge, UnsupportedMediaType])
      expect(status, code);
  }
  for (const { status, code } of route.errors ?? []) expect(status, code);
  const failures = [...codes].map(([status, names]) => [
    status,
    {
      description: [...new Set(names)].join(', '),
      content: { 'application/problem+json': { schema: problem } },
    },
  ]);
  return { [route.status]: good, ...Object.fromEntries(failures) };
}

const bytes = (types: readonly string[]) =>
  Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }]));
const json = (schema: Json) => ({ 'application/json': { schema } });

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

function parametersOf(place: 'path' | 'query' | 'header', schema: z.ZodType | undefined): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Json;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}
