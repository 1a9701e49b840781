import { createHash } from 'node:crypto';

const keys = new WeakMap<object, string>();

/** The key of what a query asks for. The kit gives the same object for the same text of a query, so most are known. */
export function keyOfQuery(query: object): string {
  const key = keys.get(query) ?? createHash('sha256').update(JSON.stringify(query)).digest('base64url');
  keys.set(query, key);
  return key;
}
