import { createHash } from 'node:crypto';

const keys = new WeakMap<object, string>();

/** The cache key of a query. Parsed queries are the same object for the same text, so most keys are known. */
export function keyOfQuery(query: object): string {
  const key = keys.get(query) ?? createHash('sha256').update(JSON.stringify(query)).digest('base64url');
  keys.set(query, key);
  return key;
}
