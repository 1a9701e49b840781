import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KIT = 'service-kit/src';
const FOLDERS = [KIT, 'user-service/src', 'product-service/src', 'order-service/src'];

interface ErrorCode {
  status: number;
  code: string;
  from: string;
}

/** Every code that a problem document can have: `docs/errors.md`. */
export async function errorsPage(): Promise<string> {
  const codes = await errorCodes();
  return [
    '# Error codes',
    '',
    'The `code` of a problem document, with its status and the service that it comes from. Codes are stable; texts are not.',
    'An unexpected failure is 500 `internal`.',
    '',
    '| Status | Code | Service |',
    '|---|---|---|',
    ...codes.map(({ status, code, from }) => `| ${status} | \`${code}\` | ${from} |`),
    '',
  ].join('\n');
}

/** Collects the classes made by `defineError` in all `*.errors.ts` and the kit's `http-errors.ts`. */
async function errorCodes(): Promise<ErrorCode[]> {
  const found = new Map<string, { status: number; code: string; from: Set<string> }>();
  for (const folder of FOLDERS) {
    const files = await readdir(join(ROOT, folder), { recursive: true });
    for (const file of files.filter((name) => /(\.errors|http-errors)\.ts$/.test(name))) {
      const module: Record<string, unknown> = await import(join(ROOT, folder, file));
      for (const { status, code } of Object.values(module).filter(isErrorClass)) {
        const key = `${status} ${code}`;
        const entry = found.get(key) ?? { status, code, from: new Set() };
        entry.from.add(folder === KIT ? 'any' : folder.replace('-service/src', ''));
        found.set(key, entry);
      }
    }
  }
  return [...found.values()]
    .map(({ from, ...rest }) => ({ ...rest, from: from.has('any') ? 'any' : [...from].sort().join(', ') }))
    .sort((a, b) => a.status - b.status || (a.code < b.code ? -1 : 1));
}

const isErrorClass = (value: unknown): value is { status: number; code: string } =>
  typeof value === 'function' && 'status' in value && 'code' in value;
