import type { Request } from 'express';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { FieldIssue } from '../errors/app-error.ts';
import { MalformedRequest, UnsupportedMediaType, ValidationFailed } from '../errors/http-errors.ts';
import { shorten } from '../text/texts.ts';
import type { Route } from './define-route.ts';
import { fieldIssuesOf, MAX_NAME } from './field-issues.ts';

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

/**
 * Validates all parts of a route's requests and reports all issues together.
 * @returns a function that throws ValidationFailed, MalformedRequest, UnsupportedMediaType
 */
export function createRequestParser({ params, query = NO_QUERY, headers, body }: Route) {
  /** Valid addresses by their text: most reads of a catalogue are of a few lists and products. */
  const addresses = new LRUCache<string, Address>({ max: MAX_ADDRESSES });
  const parameters = parametersOf(query);

  return (request: Request) => {
    const { originalUrl } = request;
    const issues: FieldIssue[] = [];
    const check = (schema: z.ZodType | undefined, value: () => unknown) => {
      if (schema === undefined) return undefined;
      const result = schema.safeParse(value(), { reportInput: true, error: textOf });
      if (result.success) return result.data;
      issues.push(...fieldIssuesOf(result.error));
      return undefined;
    };
    const known = addresses.get(originalUrl);
    const address = known ?? {
      params: Object.freeze(check(params, () => request.params)),
      query: Object.freeze(check(query, () => knownOnly(queryOf(originalUrl), parameters, issues))),
    };
    const parsed = {
      ...address,
      headers: check(headers, () => request.headers),
      body: check(body, () => jsonBodyOf(request)),
    };
    if (issues.length > 0) throw new ValidationFailed(issues);
    if (known === undefined && originalUrl.length <= MAX_KEPT_LENGTH) addresses.set(originalUrl, address);
    return parsed;
  };
}

/** Of an issue for which the schema has no text. */
const textOf = ({ code, expected, path = [] }: z.core.$ZodRawIssue): string | undefined =>
  code === 'invalid_type' && expected === 'object'
    ? `${path.length === 0 ? 'The body' : path.join('.')} must be an object`
    : undefined;

/** Names of a schema's parameters, as the API document lists them. */
function parametersOf(schema: z.ZodType): ReadonlySet<string> {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return new Set(Object.keys(properties));
}

/** The parameters of the route; any other one is an issue, because a mistyped `?dryrun=true` must not write. */
function knownOnly(query: Record<string, string>, parameters: ReadonlySet<string>, issues: FieldIssue[]) {
  const unknown = Object.keys(query).filter((name) => !parameters.has(name));
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

function queryOf(url: string): Record<string, string> {
  const query: Record<string, string> = Object.create(null);
  const search = /\?.*/s.exec(url)?.[0] ?? '';
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
