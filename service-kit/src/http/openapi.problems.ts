import { STATUS_CODES } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { AppError } from '../errors/app-error.ts';
import { Unavailable } from '../errors/http-errors.ts';
import type { DeclaredError, Route } from './define-route.ts';
import { textOf } from './fields.ts';
import { headersOf, type ResponseHeader } from './openapi.headers.ts';
import type { Json, Schemas } from './openapi.schemas.ts';
import { toProblem } from './problem.ts';

export type Problems = ReturnType<typeof createProblems>;

/** Codes that any operation may fail with, including those of the gateway: documented as `default`. */
export const UNEXPECTED_CODES = [
  'not_found',
  'method_not_allowed',
  'request_timeout',
  'uri_too_long',
  'headers_too_large',
  'internal',
  'not_implemented',
  'unavailable',
  'busy',
  'starting',
  'http_version_not_supported',
];
const REQUEST_ID = '5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a';

const NO_MEMBERS = z.object({});
interface MembersSchema {
  properties?: Record<string, Json>;
  required?: string[];
}

/** Members of every problem document (RFC 9457); single failures add more. */
const problem = z.object({
  type: textOf('`urn:problem-type:` and the code.', 100, 'urn:problem-type:internal'),
  title: textOf('The HTTP status in words.', 100, 'Internal Server Error'),
  status: z.int().meta({ description: 'The HTTP status.', minimum: 400, maximum: 599, examples: [500] }),
  detail: textOf('What went wrong, for people.', 300, 'Something went wrong on our side'),
  error: textOf(
    'The same as `detail`, for clients of the original API.',
    300,
    'Something went wrong on our side',
  ),
  request_id: textOf('The same as `X-Request-Id`.', 128, REQUEST_ID),
});

/** Components for failures: `Problem`, one schema for each code, and the responses built from them. */
export function createProblems(schemas: Schemas) {
  const codes = new Set(UNEXPECTED_CODES);
  const members: Record<string, Json> = {};
  const responses: Record<string, Json> = {};
  const base = schemas.of(problem, 'output');
  schemas.add('Problem', base);

  /** Completes `Problem`, in which members that only some failures have are optional. @returns all responses */
  function components(): Json {
    const code = {
      type: 'string',
      description: 'Stable; switch on this.',
      enum: [...codes].toSorted(),
    };
    Object.assign(base, {
      description: 'Every failure (RFC 9457, `application/problem+json`).',
      properties: { ...members, ...(base['properties'] as Json), code },
      required: [...new Set([...(base['required'] as string[]), 'code'])],
    });
    return responses;
  }

  /** Members that failures may have. Some give the same name to another kind of value. */
  function allow(added: z.ZodType) {
    const { properties = {}, required = [] } = schemas.of(added, 'output') as MembersSchema;
    for (const [name, property] of Object.entries(properties))
      members[name] = widen(members[name] ?? property, property);
    return { properties, required };
  }

  function schemaOf(error: DeclaredError): Json {
    codes.add(error.code);
    const { properties, required } = allow(error.members ?? NO_MEMBERS);
    return schemas.add(`${pascal(error.code)}Problem`, {
      allOf: [
        { $ref: '#/components/schemas/Problem' },
        {
          type: 'object',
          properties: { code: { type: 'string', const: error.code }, ...properties },
          required: ['code', ...required],
        },
      ],
    });
  }

  function responseOf(status: number, errors: DeclaredError[], further: readonly ResponseHeader[]): Json {
    const parts = errors.map(schemaOf);
    const mapping = Object.fromEntries(errors.map(({ code }, i) => [code, parts[i]?.['$ref']]));
    const schema =
      parts.length === 1 ? parts[0] : { oneOf: parts, discriminator: { propertyName: 'code', mapping } };
    const samples = errors.map((error) => error.sample());
    return {
      description: `${STATUS_CODES[status]}: ${errors.map(({ code }) => `\`${code}\``).join(', ')}`,
      headers: headersOf([...headerNames(status, errors), ...further]),
      content: {
        'application/problem+json': {
          schema,
          examples: Object.assign({}, ...samples.map(exampleOf)) as Json,
        },
      },
    };
  }

  return {
    allow,
    /** One response for each status; operations with the same failures share it. */
    responses(
      errors: DeclaredError[],
      { problemHeaders = {}, operationId = '' }: Pick<Route, 'problemHeaders' | 'operationId'>,
    ): Json {
      const statuses = [...new Set(errors.map(({ status }) => status))];
      const entries = statuses.map((status) => {
        const group = errors.filter((error) => error.status === status);
        const unique = [...new Map(group.map((error) => [error.code, error])).values()];
        const further = (Object.keys(problemHeaders) as ResponseHeader[]).filter((header) =>
          problemHeaders[header]?.includes(status),
        );
        const shared = unique.map(({ code }) => pascal(code)).join('Or');
        const name = further.length === 0 ? shared : `${pascal(operationId)}${status}`;
        responses[name] ??= responseOf(status, unique, further);
        return [status, { $ref: `#/components/responses/${name}` }];
      });
      return Object.fromEntries(entries) as Json;
    },
    unexpected(): Json {
      responses['Unexpected'] ??= {
        description:
          'Any other failure, among them 405, 408, 431, 500 `internal`, and 503 `unavailable`, `busy` or `starting`, which may be sent again after `Retry-After`',
        headers: headersOf(['Retry-After', 'Allow', 'RateLimit', 'RateLimit-Policy']),
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: exampleOf(new Unavailable('The service cannot reach its database', 1)),
          },
        },
      };
      return { $ref: '#/components/responses/Unexpected' };
    },
    components,
  };
}

const exampleOf = (error: AppError): Json => ({ [error.code]: { value: toProblem(error, REQUEST_ID) } });

/** A schema that admits both; descriptions do not make two of them. */
function widen(known: Json, other: Json): Json {
  const { anyOf = [known] } = known as { anyOf?: Json[] };
  const bare = ({ description: _, ...schema }: Json) => schema;
  if (anyOf.some((one) => isDeepStrictEqual(bare(one), bare(other)))) return known;
  return { description: 'Of another kind for some values of `code`.', anyOf: [...anyOf, other] };
}

const pascal = (code: string) =>
  code.replaceAll(/(?:^|_)(\w)/g, (_all, letter: string) => letter.toUpperCase());

function headerNames(status: number, errors: DeclaredError[]): ResponseHeader[] {
  // Authentication comes before the rate limit.
  if (errors.every(({ code }) => code === 'unauthenticated')) return ['WWW-Authenticate'];
  const waits = status === 429 || errors.some((error) => error.sample().headers['Retry-After'] !== undefined);
  const challenge = status === 401 ? (['WWW-Authenticate'] as const) : [];
  return [...challenge, 'RateLimit', 'RateLimit-Policy', ...(waits ? (['Retry-After'] as const) : [])];
}
