import { expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { defineRoute } from '../src/http/define-route.ts';
import { createTestApp } from './support/test-app.ts';

/** Counts how often its query is parsed. */
function createSearch(path: string) {
  const parsed: string[] = [];
  const word = z.string().transform((value) => {
    parsed.push(value);
    return `${path} ${value}`;
  });
  const route = defineRoute({
    method: 'get',
    path,
    summary: 'Search',
    who: 'anyone',
    limit: false,
    query: z.object({ word }),
    status: 200,
    response: z.object({ word: z.string() }),
    handler: ({ query }) => query,
  });
  return { parsed, route };
}

test('a query is parsed once for each route, and each time if it has more than 300 characters', async () => {
  const [first, second] = [createSearch('/first'), createSearch('/second')];
  const { app } = createTestApp({ routes: [first.route, second.route] });
  const wordOf = async (path: string, word: string) =>
    (await request(app).get(`${path}?word=${word}`).expect(200)).body.word;
  const [longest, tooLong] = [294, 295].map((length) => 'x'.repeat(length)) as [string, string];
  for (const word of ['lamp', 'lamp', 'desk', 'lamp', longest, longest, tooLong, tooLong])
    for (const path of ['/first', '/second']) expect(await wordOf(path, word)).toBe(`${path} ${word}`);
  for (const { parsed } of [first, second])
    expect(parsed).toEqual(['lamp', 'desk', longest, tooLong, tooLong]);
});

test.each([
  ['wrod=lamp', 'validation_failed'],
  ['word=lamp&word=desk', 'malformed_request'],
  ['word=la%00mp', 'malformed_request'],
])('the query %s is refused, each time', async (query, code) => {
  const { route } = createSearch('/search');
  const { app } = createTestApp({ routes: [route] });
  for (let i = 0; i < 2; i += 1)
    expect((await request(app).get(`/search?${query}`).expect(400)).body.code).toBe(code);
});
