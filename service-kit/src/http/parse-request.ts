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
    const result = schema.safeParse(value(), { reportInput: true });
    if (result.success) return result.data;
    issues.push(...fieldIssuesOf(result.error));
    return undefined;
  };
  const querySchema = route.query ?? NO_QUERY;
  const known = queriesOf(querySchema).get(searchOf(request));
  const parsed = {
    params: check(route.params, () => request.params),
    query: known ?? check(querySchema, () => knownOnly(queryOf(request), querySchema, issues)),
    headers: check(route.headers, () => request.headers),
    body: check(route.body, () => jsonBodyOf(request)),
  };
  if (issues.length > 0) throw new ValidationFailed(issues);
  if (known === undefined) remember(querySchema, request, parsed.query);
  return parsed;
}

const NO_QUERY = z.object({});

/** Parsed queries cached for each schema, and the longest query string that is cached. */
const MAX_QUERIES = 500;
const MAX_KEPT_LENGTH = 300;

/** Valid queries by their text, parsed and frozen: most requests for lists use one of a few queries. */
const parsedQueries = new WeakMap<z.ZodType, LRUCache<string, object>>();

function queriesOf(schema: z.ZodType): LRUCache<string, object> {
  const known = parsedQueries.get(schema) ?? new LRUCache({ max: MAX_QUERIES });
  parsedQueries.set(schema, known);
  return known;
}

function remember(schema: z.ZodType, request: Request, query: unknown): void {
  const search = searchOf(request);
  if (typeof query !== 'object' || query === null || search.length > MAX_KEPT_LENGTH) return;
  queriesOf(schema).set(search, Object.freeze(query));
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

function queryOf(request: Request): Record<string, string> {
  const query: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(searchOf(request))) {
    if (name in query)
      throw new MalformedRequest(
        `The query parameter ${JSON.stringify(shorten(name, MAX_NAME))} is repeated`,
      );
    if (!value.isWellFormed() || value.includes('\0'))
      throw new MalformedRequest('The query contains characters that cannot be used');
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
