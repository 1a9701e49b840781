import type { Request } from 'express';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { FieldIssue } from '../errors/app-error.ts';
import { MalformedRequest, UnsupportedMediaType, ValidationFailed } from '../errors/http-errors.ts';
import { shorten } from '../text/texts.ts';
import type { Route } from './define-route.ts';
import { fieldIssuesOf, MAX_NAME } from './field-issues.ts';

/**
 * Validates all parts of a request and reports all issues together.
 * @throws ValidationFailed, MalformedRequest, UnsupportedMediaType
 */
export function parseRequest(route: Route, request: Request) {
  const issues: FieldIssue[] = [];
  const check = (schema: z.ZodType | undefined, value: () => unknown) => {
    if (schema === undefined) return undefined;
    const result = schema.safeParse(value(), { reportInput: true, error: textOf });
    if (result.success) return result.data;
    issues.push(...fieldIssuesOf(result.error));
    return undefined;
  };
  const { params, query } = knownAddresses(route).get(request.originalUrl) ?? {
    params: check(route.params, () => request.params),
    query: check(route.query ?? NO_QUERY, () => knownOnly(queryOf(request), route.query ?? NO_QUERY, issues)),
  };
  const headers = check(route.headers, () => request.headers);
  const body = check(route.body, () => jsonBodyOf(request));
  if (issues.length > 0) throw new ValidationFailed(issues);
  remember(route, request, { params, query });
  return { params, query, headers, body };
}

/** Of an issue for which the schema has no text. */
const textOf = ({ code, expected, path = [] }: z.core.$ZodRawIssue): string | undefined =>
  code === 'invalid_type' && expected === 'object'
    ? `${path.length === 0 ? 'The body' : path.join('.')} must be an object`
    : undefined;

const NO_QUERY = z.object({});
const UNUSABLE = 'The query contains characters that cannot be used';

/** The valid parts of an address, parsed and frozen. */
interface Address {
  readonly params: unknown;
  readonly query: unknown;
}

/** Parsed addresses cached for each route, and the longest address that is cached. */
const MAX_ADDRESSES = 500;
const MAX_KEPT_LENGTH = 300;

/** Valid addresses by their text: most reads of a catalogue are of a few lists and products. */
const parsedAddresses = new WeakMap<Route, LRUCache<string, Address>>();

function knownAddresses(route: Route): LRUCache<string, Address> {
  const known = parsedAddresses.get(route) ?? new LRUCache({ max: MAX_ADDRESSES });
  parsedAddresses.set(route, known);
  return known;
}

function remember(route: Route, { originalUrl }: Request, { params, query }: Address): void {
  const known = knownAddresses(route);
  if (originalUrl.length > MAX_KEPT_LENGTH || known.has(originalUrl)) return;
  known.set(originalUrl, { params: Object.freeze(params), query: Object.freeze(query) });
}

function searchOf({ originalUrl }: Request): string {
  const start = originalUrl.indexOf('?');
  return start === -1 ? '' : originalUrl.slice(start);
}

/** Names of a schema's parameters, as the API document lists them. */
const parameterNames = new WeakMap<z.ZodType, ReadonlySet<string>>();

function namesOf(schema: z.ZodType): ReadonlySet<string> {
  const known = parameterNames.get(schema);
  if (known !== undefined) return known;
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const names = new Set(Object.keys(properties));
  parameterNames.set(schema, names);
  return names;
}

/** The parameters in the schema; any other one is an issue, because a mistyped `?dryrun=true` must not write. */
function knownOnly(query: Record<string, string>, schema: z.ZodType, issues: FieldIssue[]) {
  const names = namesOf(schema);
  const unknown = Object.keys(query).filter((name) => !names.has(name));
  for (const name of unknown) {
    const path = shorten(name, MAX_NAME);
    issues.push({ path, code: 'unknown_field', message: `Unknown query parameter: ${path}` });
    delete query[name];
  }
  return query;
}

/** Percent-encoded bytes that follow each other. */
const ENCODED = /(?:%[\da-f]{2})+/gi;

/** Whether the percent-encoded bytes are UTF-8: `URLSearchParams` would put replacement characters in the place of others. */
function isUtf8(search: string): boolean {
  try {
    for (const [bytes] of search.matchAll(ENCODED)) decodeURIComponent(bytes);
    return true;
  } catch {
    return false;
  }
}

function queryOf(request: Request): Record<string, string> {
  const query: Record<string, string> = Object.create(null);
  const search = searchOf(request);
  if (search.includes('%') && !isUtf8(search)) throw new MalformedRequest(UNUSABLE);
  for (const [name, value] of new URLSearchParams(search)) {
    if (name in query)
      throw new MalformedRequest(
        `The query parameter ${JSON.stringify(shorten(name, MAX_NAME))} is repeated`,
      );
    if (value.includes('\0')) throw new MalformedRequest(UNUSABLE);
    query[name] = value;
  }
  return query;
}

function jsonBodyOf(request: Request): unknown {
  if (request.body !== undefined) return request.body;
  const sent =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (sent && request.is('application/json') === false) throw new UnsupportedMediaType('application/json');
  return {};
}
