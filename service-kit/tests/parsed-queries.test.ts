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

test('a query is parsed once for each route, and again if it is long', async () => {
  const [first, second] = [createSearch('/first'), createSearch('/second')];
  const { app } = createTestApp({ routes: [first.route, second.route] });
  const wordOf = async (path: string, word: string) =>
    (await request(app).get(`${path}?word=${word}`).expect(200)).body.word;
  const long = 'x'.repeat(301);
  for (const word of ['lamp', 'lamp', 'desk', 'lamp', long, long])
    for (const path of ['/first', '/second']) expect(await wordOf(path, word)).toBe(`${path} ${word}`);
  for (const { parsed } of [first, second]) expect(parsed).toEqual(['lamp', 'desk', long, long]);
});

test('a refused query is refused again', async () => {
  const { route } = createSearch('/search');
  const { app } = createTestApp({ routes: [route] });
  for (let i = 0; i < 2; i += 1) await request(app).get('/search?wrod=lamp').expect(400);
});
