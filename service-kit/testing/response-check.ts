import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FieldCode, FieldIssue } from '../src/errors/app-error.ts';
import { UNEXPECTED_CODES } from '../src/http/openapi.problems.ts';

/** A request and its response, as far as the API document describes them. */
export interface Exchange {
  method: string;
  /** Without the query. */
  path: string;
  /** JSON, if the request had such a body. */
  sent?: unknown;
  status: number;
  /** By lower-case name. */
  headers: Readonly<Record<string, string>>;
  /** What was received. */
  text: string;
}

export interface Verdict {
  /** `GET /api/things/{id}`; undefined for an address or a method that the document does not have. */
  operation: string | undefined;
  /** Contradictions to the document, one sentence each. */
  mismatches: string[];
}

interface Media {
  schema?: object;
}
interface Response {
  $ref?: string;
  headers?: Record<string, unknown>;
  content?: Record<string, Media>;
}
interface Operation {
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, Response>;
}
export interface ApiDocument {
  paths: Record<string, Record<string, Operation>>;
  components: { headers: Record<string, { schema: object }>; responses: Record<string, Response> };
}

type Body = Pick<Exchange, 'headers' | 'text'>;
const JSON_TYPES = new Set(['application/json', 'application/problem+json']);
/** What a client needs to say it in its own words. */
const BOUNDS: Partial<Record<FieldCode, ('minimum' | 'maximum')[]>> = {
  too_short: ['minimum'],
  too_small: ['minimum'],
  too_long: ['maximum'],
  too_large: ['maximum'],
  too_many_decimals: ['maximum'],
  out_of_range: ['minimum', 'maximum'],
};
/** Headers that a response always has where the document names them. */
const ALWAYS_SENT = ['ETag', 'Location', 'WWW-Authenticate', 'Content-Disposition'];

/**
 * Compares responses with an API document: status, headers, media type and body, and the JSON of requests that succeeded.
 * Undocumented failures pass only with a code that any operation may have (`default`).
 */
export function createResponseCheck(document: ApiDocument): (exchange: Exchange) => Verdict {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addFormat('idn-email', /@/);
  ajv.addSchema(document, 'api');
  const find = createFinder(document);
  const compiled = new Map<string, ValidateFunction>();

  /** What of a value does not fit the schema at this place in the document. */
  function misfits(value: unknown, ...place: string[]): string[] {
    const pointer = place.map((step) => encodeURIComponent(escapeStep(step))).join('/');
    const known = compiled.get(pointer) ?? ajv.compile({ $ref: `api#/${pointer}` });
    compiled.set(pointer, known);
    if (known(value)) return [];
    return (known.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  function check(exchange: Exchange): Verdict {
    const method = exchange.method === 'HEAD' ? 'get' : exchange.method.toLowerCase();
    const path = find(exchange.path);
    const operation = path === undefined ? undefined : document.paths[path]?.[method];
    if (path === undefined || operation === undefined) return { operation: undefined, mismatches: [] };
    const own = operation.responses[exchange.status];
    const fitsOwn =
      own === undefined ? ['is not documented'] : responseMisfits(exchange, own, [path, method]);
    const isAnywhere = UNEXPECTED_CODES.includes(codeOf(exchange));
    const mismatches =
      fitsOwn.length > 0 && isAnywhere
        ? responseMisfits(exchange, operation.responses['default'] ?? {}, [path, method], 'default')
        : fitsOwn;
    const name = `${method.toUpperCase()} ${path}`;
    const all = [...mismatches, ...requestMisfits(exchange, operation, [path, method])];
    return { operation: name, mismatches: all.map((text) => `${name} ${exchange.status}: ${text}`) };
  }

  function responseMisfits(
    { method, status, headers, text }: Exchange,
    given: Response,
    [path, verb]: [string, string],
    key = String(status),
  ): string[] {
    const reference = given.$ref?.split('/').slice(1);
    const place = reference ?? ['paths', path, verb, 'responses', key];
    const name = reference?.at(-1);
    const response = name === undefined ? given : (document.components.responses[name] ?? {});
    const found = headerMisfits(headers, response, key);
    const hasBody = method !== 'HEAD' && status !== 304;
    return hasBody ? [...found, ...bodyMisfits({ headers, text }, response, place)] : found;
  }

  function bodyMisfits({ headers, text }: Body, { content }: Response, place: string[]): string[] {
    const type = (headers['content-type'] ?? '').split(';')[0] ?? '';
    if (type === '' && content === undefined) return [];
    if (content?.[type] === undefined) return [`has the media type '${type}'`];
    if (!JSON_TYPES.has(type)) return [];
    const body = parse(text);
    return [...misfits(body, ...place, 'content', type, 'schema'), ...vagueIssues(body)];
  }

  function headerMisfits(
    headers: Exchange['headers'],
    { headers: named = {} }: Response,
    key: string,
  ): string[] {
    return Object.entries(document.components.headers).flatMap(([name, { schema }]) => {
      const value = headers[name.toLowerCase()];
      const isNamed = name in named;
      if (value === undefined)
        return isNamed && key !== 'default' && ALWAYS_SENT.includes(name) ? [`lacks the header ${name}`] : [];
      if (!isNamed) return [`has the undocumented header ${name}`];
      const typed = 'type' in schema && schema.type === 'integer' ? Number(value) : value;
      return misfits(typed, 'components', 'headers', name, 'schema');
    });
  }

  /** What succeeded must be allowed by the document. */
  function requestMisfits({ status, sent }: Exchange, { requestBody }: Operation, place: string[]): string[] {
    const isJson = requestBody?.content['application/json'] !== undefined;
    if (status >= 300 || sent === undefined || !isJson) return [];
    const found = misfits(
      asRead(sent),
      'paths',
      ...place,
      'requestBody',
      'content',
      'application/json',
      'schema',
    );
    return found.map((text) => `was sent ${text}`);
  }

  return check;
}

/** JSON as the services read it: texts are trimmed, and a blank one is null. */
function asRead(value: unknown): unknown {
  if (typeof value === 'string') return value.trim() === '' ? null : value.trim();
  if (Array.isArray(value)) return value.map(asRead);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, asRead(field)]));
}

const escapeStep = (step: string) => step.replaceAll('~', '~0').replaceAll('/', '~1');

/** The path of the document that an address belongs to: fixed ones first. */
function createFinder({ paths }: ApiDocument): (address: string) => string | undefined {
  const patterns = Object.keys(paths)
    .toSorted((a, b) => Number(a.includes('{')) - Number(b.includes('{')))
    .map(
      (path) =>
        [
          path,
          new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`, 'i'),
        ] as const,
    );
  return (address) => patterns.find(([, pattern]) => pattern.test(address))?.[0];
}

/** A client can say what is wrong with a field in its own words: the code says it, with the bounds that belong to it. */
function vagueIssues(body: unknown): string[] {
  const { code, details } = (body ?? {}) as { code?: string; details?: FieldIssue[] };
  if (code !== 'validation_failed') return [];
  return (details ?? []).flatMap((issue) => {
    const lacks = (BOUNDS[issue.code] ?? []).filter((bound) => issue[bound] === undefined);
    if (issue.code === 'invalid') return [`says only 'invalid' of ${issue.path}: ${issue.message}`];
    return lacks.map((bound) => `has no ${bound} for ${issue.code} of ${issue.path}`);
  });
}

const codeOf = ({ text }: Exchange): string => {
  const body = parse(text);
  return typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : '';
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
