import type { Request } from 'express';
import { LRUCache } from 'lru-cache';
import type { z } from 'zod';
import type { FieldIssue } from '../errors/app-error.ts';
import { MalformedRequest, UnsupportedMediaType, ValidationFailed } from '../errors/http-errors.ts';
import type { Route } from './define-route.ts';

/**
 * Checks all parts of a request and tells everything that is wrong at once.
 * @throws ValidationFailed, MalformedRequest, UnsupportedMediaType
 */
export function parseRequest(route: Route, request: Request) {
  const issues: FieldIssue[] = [];
  const check = (schema: z.ZodType | undefined, value: () => unknown) => {
    if (schema === undefined) return undefined;
    const result = schema.safeParse(value());
    if (result.success) return result.data;
    issues.push(...fieldIssuesOf(result.error));
    return undefined;
  };
  const known = route.query && queriesOf(route.query).get(searchOf(request));
  const parsed = {
    params: check(route.params, () => request.params),
    query: known ?? check(route.query, () => queryOf(request)),
    headers: check(route.headers, () => request.headers),
    body: check(route.body, () => jsonBodyOf(request)),
  };
  if (issues.length > 0) throw new ValidationFailed(issues);
  if (known === undefined && route.query !== undefined) remember(route.query, request, parsed.query);
  return parsed;
}

/** Queries that are kept, for each schema, and how long they may be. */
const MAX_QUERIES = 500;
const MAX_KEPT_LENGTH = 300;

/** Good queries by their text, parsed and frozen: lists are asked for with the same few again and again. */
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

function queryOf(request: Request): Record<string, string> {
  const query: Record<string, string> = Object.create(null);
  for (const [name, value] of new URLSearchParams(searchOf(request))) {
    if (name in query)
      throw new MalformedRequest(`The query parameter ${JSON.stringify(name.slice(0, 50))} is repeated`);
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

/** What a schema refuses, as the HTTP contract tells it. */
export const fieldIssuesOf = (error: z.ZodError): FieldIssue[] => error.issues.flatMap(toFieldIssues);

function toFieldIssues(issue: z.core.$ZodIssue): FieldIssue[] {
  const path = issue.path.map(String).join('.');
  if (issue.code !== 'unrecognized_keys') return [{ path, code: issue.code, message: issue.message }];
  return issue.keys.map((key) => {
    const name = key.slice(0, 50);
    return {
      path: path === '' ? name : `${path}.${name}`,
      code: issue.code,
      message: `Unknown field: ${name}`,
    };
  });
}
