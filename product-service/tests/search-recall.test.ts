import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import request from 'supertest';
import { importFile } from './support/catalogue-file.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

const DEMO = new URL('../../examples/demo/catalogue.csv', import.meta.url);

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
  await importFile(shop.app, await readFile(DEMO)).expect(200);
});
afterAll(() => shop.close());

const namesOf = async (query: object): Promise<string[]> => {
  const { body } = await request(shop.app).get('/api/products').query(query).expect(200);
  return body.products.map(({ name }: { name: string }) => name);
};

const wordsOf = (name: string): string[] => name.toLowerCase().match(/\p{L}+/gu) ?? [];

/** Each word with two neighbouring letters swapped, at a place that depends on the word. */
function swapped(word: string, index: number): string | undefined {
  const at = index % (word.length - 1);
  const swap = `${word.slice(0, at)}${word[at + 1]}${word[at]}${word.slice(at + 2)}`;
  return swap === word ? undefined : swap;
}

test('nine of ten words of the demo catalogue are found first with two neighbouring letters swapped', async () => {
  const names: string[] = [];
  for (const page of [1, 2]) names.push(...(await namesOf({ per_page: 100, page })));
  const words = [...new Set(names.flatMap(wordsOf))].filter((word) => word.length >= 4);
  expect(words.length).toBeGreaterThan(100);
  const typed = words.flatMap((word, index) => {
    const q = swapped(word, index);
    return q === undefined || words.includes(q) ? [] : [{ word, q }];
  });
  const missed: string[] = [];
  for (const { word, q } of typed) {
    const [first = ''] = await namesOf({ q, per_page: 1 });
    if (!wordsOf(first).includes(word)) missed.push(`${q}: ${first}`);
  }
  expect({ missed, share: missed.length / typed.length <= 0.1 }).toMatchObject({ share: true });
});
