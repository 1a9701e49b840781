import { appendFileSync, mkdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, expect } from '@jest/globals';
import type { Express } from 'express';
import { documentOf } from '../src/http/mount-routes.ts';
import { type ApiDocument, createResponseCheck, type Exchange } from './response-check.ts';

/** Records the responses of this test file, for response.reporter.ts. */
const SEEN_FOLDER = fileURLToPath(new URL('../../coverage/', import.meta.url));
type Handle = (request: IncomingMessage, response: ServerResponse, ...rest: unknown[]) => unknown;
const SEEN_FILE = `${SEEN_FOLDER}seen-responses.txt`;

const mismatches: string[] = [];
const seen = new Set<string>();
const checks = new Map<string, ReturnType<typeof createResponseCheck>>();

// Import this module from test files only: a response that contradicts the API document fails the test that got it.
afterEach(expectNoMismatch);
afterAll(() => {
  mkdirSync(SEEN_FOLDER, { recursive: true });
  appendFileSync(SEEN_FILE, [...seen].map((line) => `${line}\n`).join(''));
  expectNoMismatch();
});

function expectNoMismatch(): void {
  expect(mismatches.splice(0)).toEqual([]);
}

/** Compares an exchange with the document, for the end of the test. */
export function watchExchange(document: ApiDocument, exchange: Exchange): void {
  const key = JSON.stringify(document);
  const check = checks.get(key) ?? createResponseCheck(document);
  checks.set(key, check);
  const { operation, mismatches: found } = check(exchange);
  if (operation !== undefined) seen.add(`${operation} ${exchange.status}`);
  mismatches.push(...found);
}

/** The same app; each of its responses is compared with its API document. */
export function documented<App extends Express>(app: App): App {
  const document = documentOf(app) as unknown as ApiDocument;
  const handled = app as unknown as { handle: Handle };
  const handle = handled.handle.bind(app);
  // Express calls it with `next` as well.
  handled.handle = (request, response, ...rest) => {
    watch(request, response, document);
    return handle(request, response, ...rest);
  };
  return app;
}

function watch(request: IncomingMessage, response: ServerResponse, document: ApiDocument): void {
  const path = (request.url ?? '').split('?')[0] ?? '';
  const chunks: Buffer[] = [];
  const keep = (chunk: unknown) => {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk as string));
  };
  const { write, end } = response;
  response.write = ((...args: unknown[]) => {
    if (isJson(response)) keep(args[0]);
    return write.apply(response, args as never);
  }) as typeof write;
  response.end = ((...args: unknown[]) => {
    keep(args[0]);
    const result = end.apply(response, args as never);
    const headers = Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]);
    watchExchange(document, {
      method: request.method ?? '',
      path,
      sent: (request as { body?: unknown }).body,
      status: response.statusCode,
      headers: Object.fromEntries(headers),
      text: Buffer.concat(chunks).toString(),
    });
    return result;
  }) as typeof end;
}

const isJson = (response: ServerResponse) => String(response.getHeader('Content-Type')).includes('json');
