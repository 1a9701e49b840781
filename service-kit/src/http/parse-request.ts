import type { Request } from 'express';
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
  const parsed = {
    params: check(route.params, () => request.params),
    query: check(route.query, () => queryOf(request)),
    headers: check(route.headers, () => request.headers),
    body: check(route.body, () => jsonBodyOf(request)),
  };
  if (issues.length > 0) throw new ValidationFailed(issues);
  return parsed;
}

function queryOf(request: Request): Record<string, string> {
  const start = request.originalUrl.indexOf('?');
  const query: Record<string, string> = Object.create(null);
  if (start === -1) return query;
  for (const [name, value] of new URLSearchParams(request.originalUrl.slice(start))) {
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
