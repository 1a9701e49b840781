import { describe, expect, test } from '@jest/globals';
import { longestOf, lookUpOf, type Term } from './search.terms.ts';

const terms = (...words: string[]): Term[] =>
  words.map((word) => ({ word, isPrefix: false, corrections: [] }));
/** How many products of a sample have the terms, in their order. */
const frequencies = (all: Term[], ...found: number[]) => ({
  all,
  frequency: (term: Term) => found[all.indexOf(term)] ?? 0,
});
const wordsIn = (query: string) => [...new Set([...query.matchAll(/'a([a-z]+)'/g)].map(([, word]) => word))];

describe('the query for the index', () => {
  test('has the longest words if nothing is known of their frequency', () => {
    expect(wordsIn(lookUpOf(terms('ab', 'abcdef', 'abc', 'abcd', 'abcde'), ''))).toEqual([
      'abcdef',
      'abcde',
      'abcd',
      'abc',
    ]);
  });

  test.each([
    ['leaves a frequent word out if another one is rare', [10, 250], ['kettle']],
    ['has two frequent words', [240, 250], ['kettle', 'wireless']],
    ['begins with the rarest word', [40, 20], ['wireless', 'kettle']],
  ])('%s', (_name, found, expected) => {
    const { all, frequency } = frequencies(terms('kettle', 'wireless'), ...found);
    expect(wordsIn(lookUpOf(all, '', frequency))).toEqual(expected);
  });

  test('has the words of a category', () => {
    expect(lookUpOf(terms('kettle'), 'home garden')).toBe(
      "('akettle' | 'bkettle' | 'ckettle') & 'bhome' & 'bgarden'",
    );
  });

  test('is chosen from ten words at most, the longest ones', () => {
    const letters = [...'abcdefghijklmnopqrstuvwxyz'];
    const chosen = longestOf(terms(...letters, 'kettle'));
    expect(chosen).toHaveLength(10);
    expect(chosen[0]?.word).toBe('kettle');
  });
});
