import { STATUS_CODES } from 'node:http';
import {
  BodyTooLarge,
  Forbidden,
  MalformedRequest,
  RateLimited,
  Unauthenticated,
  UnsupportedMediaType,
  ValidationFailed,
} from '../errors/http-errors.ts';
import type { DeclaredError, Route } from './define-route.ts';
import { HEADERS, headersOf } from './openapi.headers.ts';
import { createProblems, type Problems } from './openapi.problems.ts';
import { createSchemas, type Json, type Schemas } from './openapi.schemas.ts';

export interface ApiDescription {
  service: string;
  /** One sentence. */
  description: string;
  /** Groups of operations with their descriptions. */
  tags?: Readonly<Record<string, string>> | undefined;
}

interface Parts {
  schemas: Schemas;
  problems: Problems;
}

/** The OpenAPI 3.1 document of a service, built from its route declarations. Calls between services are left out. */
export function openApiDocument({ service, description, tags = {} }: ApiDescription, routes: Route[]): Json {
  const schemas = createSchemas();
  const problems = createProblems(schemas);
  const paths: Record<string, Json> = {};
  for (const route of routes.filter(({ who }) => who !== 'service')) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operationOf(route, { schemas, problems }) };
  }
  const responses = problems.components();
  return {
    openapi: '3.1.0',
    info: { title: service, version: '1.0.0', description, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/', description: 'This host, in production and locally', 'x-internal': false }],
    tags: Object.entries(tags).map(([name, text]) => ({ name, description: text })),
    paths,
    components: {
      securitySchemes: { accessToken: ACCESS_TOKEN },
      headers: HEADERS,
      responses,
      schemas: schemas.components(),
    },
  };
}

const ACCESS_TOKEN = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description:
    'The `access_token` of a registration, login or refresh: a JWT, verified as RFC8725 recommends, valid for 1 hour.',
};

const ACCESS = { anyone: 'Anyone', user: 'Signed-in users', admin: 'Admins', service: 'Services' };

function operationOf(route: Route, parts: Parts): Json {
  const { operationId, tag, summary, who, only, problemMembers } = route;
  if (problemMembers !== undefined) parts.problems.allow(problemMembers);
  const access = `Access: ${ACCESS[who]}${only === undefined ? '' : `, only ${only}`}.`;
  const parameters = [
    ...parts.schemas.parameters('path', route.params),
    ...parts.schemas.parameters('query', route.query),
    ...parts.schemas.parameters('header', route.headers),
    ...(route.conditional ? [IF_NONE_MATCH] : []),
  ];
  return {
    ...(operationId === undefined ? {} : { operationId }),
    ...(tag === undefined ? {} : { tags: [tag] }),
    summary,
    description: route.description === undefined ? access : `${route.description}\n\n${access}`,
    security: who === 'anyone' ? [] : [{ accessToken: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBodyOf(route, parts),
    responses: responsesOf(route, parts),
  };
}

const IF_NONE_MATCH = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'The `ETag` of an earlier response; while it is current, the response is 304 without a body.',
  schema: { type: 'string', maxLength: 1000 },
};

function requestBodyOf({ body, stream }: Route, { schemas }: Parts): Json {
  if (stream !== undefined) return { requestBody: { required: true, content: streamContent(stream) } };
  if (body === undefined) return {};
  const schema = schemas.of(body, 'input');
  const isOptional = schemas.resolve(schema)['required'] === undefined;
  return {
    requestBody: {
      required: !isOptional,
      content: { 'application/json': { schema, example: schemas.example(schema) } },
    },
  };
}

function responsesOf(route: Route, { schemas, problems }: Parts): Json {
  const isLimited = route.limit !== false;
  const headers = headersOf([
    ...(route.responseHeaders ?? []),
    ...(route.conditional ? (['ETag'] as const) : []),
    ...(isLimited ? (['RateLimit', 'RateLimit-Policy'] as const) : []),
  ]);
  const good = {
    description: route.responseDescription ?? STATUS_CODES[route.status] ?? 'OK',
    headers,
    ...goodContentOf(route, schemas),
  };
  const unchanged = {
    description: 'The copy that has the `ETag` of `If-None-Match` is current',
    headers,
  };
  return {
    [route.status]: good,
    ...(route.conditional ? { 304: unchanged } : {}),
    ...problems.responses(errorsOf(route), route),
    default: problems.unexpected(),
  };
}

function goodContentOf({ response, responseTypes }: Route, schemas: Schemas): Json {
  if (responseTypes !== undefined) return { content: responseTypes };
  if (response === undefined) return {};
  const schema = schemas.of(response, 'output');
  return { content: { 'application/json': { schema, example: schemas.example(schema) } } };
}

/** The failures of an operation. Those that any operation may have, such as 500, are its `default`. */
function errorsOf({ who, limit, body, stream, errors = [] }: Route): DeclaredError[] {
  const takesBody = body !== undefined || stream !== undefined;
  return [
    ValidationFailed,
    MalformedRequest,
    ...(who === 'anyone' ? [] : [Unauthenticated]),
    ...(who === 'admin' ? [Forbidden] : []),
    ...(takesBody ? [BodyTooLarge, UnsupportedMediaType] : []),
    ...(limit === false ? [] : [RateLimited]),
    ...errors,
  ];
}

function streamContent({ types, examples = {} }: NonNullable<Route['stream']>): Json {
  return Object.fromEntries(
    types.map((type) => [type, examples[type] ?? { schema: { type: 'string', format: 'binary' } }]),
  );
}
