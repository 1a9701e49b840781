/** A word of a search, in the form that `search_words` gives it. */
export interface Term {
  word: string;
  /** Longer words that begin with it are found too. */
  isPrefix: boolean;
  /** Known words that may have been meant. */
  corrections: string[];
}

/** A search as it was typed, in the forms of the database. */
export interface SearchText {
  /** `search_words` of it. */
  words: string;
  /** `search_fold` of it. */
  folded: string;
}

/** The scripts whose words `search_words` cuts into pairs. */
const UNSPACED =
  /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\u{20000}-\u{3ffff}]+/gu;
const HAS_DIGIT = /\p{N}/u;
/** Characters of a word that can be corrected. */
const CORRECTABLE = { min: 3, max: 40 };
/** Words that are corrected, of one search. */
const MAX_CORRECTED = 10;
/** Words whose frequency is looked at, of one search. */
const MAX_COUNTED = 10;
/** Words looked up in the index. Among equally frequent ones the longest, which are probably the rarest. */
const MAX_LOOKED_UP = 4;
/** A word that more products of a sample have, and so many times more than have the rarest word, is not looked up. */
const FREQUENT = 50;
const MUCH_MORE = 8;

const lengthOf = (text: string) => [...text].length;

const runsIn = ({ folded }: SearchText) => [...folded.matchAll(UNSPACED)].map(([run]) => run);

/** Pairs are whole words; a single character is one only where nothing follows it. */
export function termsOf(text: SearchText): Term[] {
  const runs = runsIn(text);
  const single = new Set(runs.filter((run) => lengthOf(run) === 1));
  const words = new Set(text.words.split(' ').filter((word) => word !== ''));
  return [...words].flatMap((word) => {
    const isUnspaced = word.match(UNSPACED)?.[0] === word;
    if (isUnspaced && lengthOf(word) === 1 && !single.has(word)) return [];
    return { word, isPrefix: !isUnspaced || lengthOf(word) === 1, corrections: [] };
  });
}

/** Runs of a script without spaces whose pairs might stand apart from each other. */
export const longRunsOf = (text: SearchText): string[] => runsIn(text).filter((run) => lengthOf(run) > 2);

export const correctable = (terms: Term[]): string[] =>
  terms
    .map(({ word }) => word)
    .filter((word) => {
      const length = lengthOf(word);
      return length >= CORRECTABLE.min && length <= CORRECTABLE.max && !HAS_DIGIT.test(word);
    })
    .slice(0, MAX_CORRECTED);

/** One lexeme of a query: a word in the field of a label (see the function `search_lexemes`). */
const lexeme = (label: string, word: string, isPrefix: boolean) => `'${label}${word}'${isPrefix ? ':*' : ''}`;

interface Look {
  /** The labels of the fields. */
  fields: string;
  whole?: boolean;
  corrected?: boolean;
}

function queryFor(terms: Term[], { fields, whole = false, corrected = false }: Look): string {
  const one = ({ word, isPrefix, corrections }: Term) => {
    const words = [...fields].flatMap((label) => [
      lexeme(label, word, isPrefix && !whole),
      ...(corrected ? corrections.map((correction) => lexeme(label, correction, false)) : []),
    ]);
    return `(${words.join(' | ')})`;
  };
  return terms.map(one).join(' & ');
}

/**
 * The order of relevance as queries: the whole SKU, the whole name, words of the name, their beginnings, category and SKU,
 * description, then the same with corrected words. The last query finds every match.
 */
export function tiersOf({ words }: SearchText, terms: Term[]): string[] {
  const all = [...words.replaceAll(' ', '_')].slice(0, 200).join('');
  const looks: Look[] = [{ fields: 'a', whole: true }, { fields: 'a' }, { fields: 'ab' }, { fields: 'abc' }];
  const corrected = terms.some(({ corrections }) => corrections.length > 0)
    ? looks.map((look) => queryFor(terms, { ...look, corrected: true }))
    : [];
  return [
    lexeme('=', all, false),
    lexeme('~', all, false),
    ...looks.map((look) => queryFor(terms, look)),
    ...corrected,
  ];
}

/** The terms that may be looked up: the longest ones. A search of a hundred letters must not cost a hundred counts. */
export const longestOf = (terms: Term[]): Term[] =>
  terms.toSorted((a, b) => b.word.length - a.word.length).slice(0, MAX_COUNTED);

/** A query for the products that have a term in any field. */
export const queryOf = (term: Term): string => queryFor([term], { fields: 'abc', corrected: true });

/**
 * A cheaper query for the index, which finds at least what the last tier finds: the rarest words, and those of the category.
 * A frequent word beside a rare one excludes little, and the index would read all its entries.
 * @param frequency how many products of a sample have a term; 0 for all terms without a sample
 */
export function lookUpOf(
  terms: Term[],
  categoryWords: string,
  frequency: (term: Term) => number = () => 0,
): string {
  const rarest = terms.toSorted((a, b) => frequency(a) - frequency(b) || b.word.length - a.word.length);
  const [first] = rarest;
  const most = Math.max(FREQUENT, MUCH_MORE * (first === undefined ? 0 : frequency(first)));
  const lookedUp = rarest.filter((term) => frequency(term) <= most).slice(0, MAX_LOOKED_UP);
  const inCategory = categoryWords.split(' ').filter((word) => word !== '');
  return [
    queryFor(lookedUp, { fields: 'abc', corrected: true }),
    ...inCategory.map((word) => lexeme('b', word, false)),
  ].join(' & ');
}
