import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineError } from '../src/errors/app-error.ts';
import { defineRoute } from '../src/http/define-route.ts';
import { openApiDocument } from '../src/http/openapi.ts';
import { toProblem } from '../src/http/problem.ts';
import { type ApiDocument, createResponseCheck, type Exchange } from '../testing/response-check.ts';

const Taken = defineError(409, 'name_taken', 'Taken');
const Gone = defineError(410, 'gone', 'Gone');
const Internal = defineError(500, 'internal', 'Broken');
const description = { service: 'things', description: 'Things.' };
const document = openApiDocument(description, [
  defineRoute({
    method: 'post',
    path: '/things/:id',
    summary: 'Make a thing',
    who: 'anyone',
    limit: false,
    body: z.strictObject({
      name: z
        .string()
        .min(2)
        .meta({ examples: ['Lamp'] }),
    }),
    responseHeaders: ['Location'],
    status: 201,
    response: z.object({ id: z.int().meta({ minimum: 1 }) }),
    errors: [Taken],
    handler: () => ({ id: 1 }),
  }),
]) as unknown as ApiDocument;
const check = createResponseCheck(document);

const good: Exchange = {
  method: 'POST',
  path: '/things/1',
  sent: { name: ' Lamp ' },
  status: 201,
  headers: { 'content-type': 'application/json; charset=utf-8', location: '/things/1' },
  text: '{"id":1}',
};
const problem = (error: { new (): InstanceType<typeof Taken> }) => {
  const failed = new error();
  return {
    status: failed.status,
    headers: { 'content-type': 'application/problem+json' },
    text: JSON.stringify(toProblem(failed, 'request-1')),
  };
};

test('passes what the document describes', () => {
  const operation = 'POST /things/{id}';
  for (const exchange of [good, { ...good, ...problem(Taken) }, { ...good, ...problem(Internal) }])
    expect(check(exchange)).toEqual({ operation, mismatches: [] });
  expect(check({ ...good, path: '/other' })).toEqual({ operation: undefined, mismatches: [] });
  expect(check({ ...good, method: 'GET' })).toEqual({ operation: undefined, mismatches: [] });
});

test.each([
  ['an undocumented field', { text: '{"id":1,"secret":2}' }, 'additionalProperty'],
  ['a missing field', { text: '{}' }, "required property 'id'"],
  ['a value out of bounds', { text: '{"id":0}' }, 'must be >= 1'],
  ['an undocumented status', { status: 202 }, 'is not documented'],
  ['an undocumented failure', problem(Gone), 'is not documented'],
  ['a code of another failure', { ...problem(Gone), status: 409 }, '/code must be equal'],
  ['another media type', { headers: { ...good.headers, 'content-type': 'text/html' } }, "type 'text/html'"],
  ['an undocumented header', { headers: { ...good.headers, etag: '"1"' } }, 'undocumented header ETag'],
  ['a missing header', { headers: { 'content-type': 'application/json' } }, 'lacks the header Location'],
  ['a request that the document forbids', { sent: { name: 'x' } }, 'was sent /name'],
])('finds %s', (_what, change: Partial<Exchange>, expected) => {
  const [first = ''] = check({ ...good, ...change }).mismatches;
  expect(first).toContain(expected);
  expect(first).toMatch(/^POST \/things\/\{id\} \d+: /);
});
