import { expect, test } from '@jest/globals';
import request from 'supertest';
import { z } from 'zod';
import { defineRoute } from '../src/http/define-route.ts';
import { createTestApp } from './support/test-app.ts';

/** Counts how often its address is parsed. */
function createSearch(path: string) {
  const parsed: string[] = [];
  const word = z.string().transform((value) => {
    parsed.push(value);
    return `${path} ${value}`;
  });
  const route = defineRoute({
    method: 'get',
    path: `${path}/:shelf`,
    summary: 'Search',
    who: 'anyone',
    limit: false,
    params: z.object({ shelf: word }),
    query: z.object({ word }),
    status: 200,
    response: z.object({ shelf: z.string(), word: z.string() }),
    handler: ({ params, query }) => ({ ...params, ...query }),
  });
  return { parsed, route };
}

test('an address is parsed once for each route, and each time if it has more than 300 characters', async () => {
  const [first, other] = [createSearch('/first'), createSearch('/other')];
  const { app } = createTestApp({ routes: [first.route, other.route] });
  const bare = '/first/a?word='.length;
  const [longest, tooLong] = [300 - bare, 301 - bare].map((length) => 'x'.repeat(length)) as [string, string];
  const searches = ['a lamp', 'a lamp', 'a desk', 'b desk', 'a lamp', `a ${longest}`, `a ${longest}`];
  for (const search of [...searches, `a ${tooLong}`, `a ${tooLong}`])
    for (const path of ['/first', '/other']) {
      const [shelf, word] = search.split(' ');
      const { body } = await request(app).get(`${path}/${shelf}?word=${word}`).expect(200);
      expect(body).toEqual({ shelf: `${path} ${shelf}`, word: `${path} ${word}` });
    }
  for (const { parsed } of [first, other])
    expect(parsed).toEqual(
      ['a lamp', 'a desk', 'b desk', `a ${longest}`, `a ${tooLong}`, `a ${tooLong}`].flatMap((search) =>
        search.split(' '),
      ),
    );
});

test.each([
  ['wrod=lamp', 'validation_failed'],
  ['word=lamp&word=desk', 'malformed_request'],
  ['word=la%00mp', 'malformed_request'],
])('the query %s is refused, each time', async (query, code) => {
  const { route } = createSearch('/search');
  const { app } = createTestApp({ routes: [route] });
  for (let i = 0; i < 2; i += 1)
    expect((await request(app).get(`/search/a?${query}`).expect(400)).body.code).toBe(code);
});
