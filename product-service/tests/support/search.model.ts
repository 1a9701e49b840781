/** A product in the model of the search. */
export interface ModelProduct {
  id: number;
  name: string;
  category: string;
  sku: string | null;
  description: string | null;
  price: number;
  created_at: string;
}

const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\u30fc]+/gu;
const language = new Intl.Collator('und');

/** A slow implementation of docs/http-api.md, "Search". */
const fold = (text: string) =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replaceAll('ß', 'ss')
    .replaceAll('ς', 'σ')
    .normalize('NFC');

const known = new Map<string, string[]>();

/** Words, and runs of scripts without spaces. */
function wordsOf(text: string): string[] {
  const words = known.get(text) ?? split(text);
  known.set(text, words);
  return words;
}

const split = (text: string): string[] =>
  fold(text)
    .replace(UNSPACED, ' $& ')
    .split(/[^\p{L}\p{N}\p{M}]+/u)
    .filter((word) => word !== '');

const isUnspaced = (word: string) => word.match(UNSPACED)?.[0] === word;

const begins = (text: string | null, word: string) =>
  wordsOf(text ?? '').some((own) => (isUnspaced(word) ? own.includes(word) : own.startsWith(word)));
const has = (text: string | null, word: string) =>
  isUnspaced(word) ? begins(text, word) : wordsOf(text ?? '').includes(word);
const isSame = (text: string | null, words: string[]) =>
  text !== null && wordsOf(text).join(' ') === words.join(' ');

/** The rank from 1, the best; undefined for a product that is not found. Corrected words are no whole name or SKU. */
function tierOf(
  { name, category, sku, description }: ModelProduct,
  words: string[],
  isCorrected: boolean,
): number | undefined {
  const every = (holds: (word: string) => boolean) => words.length > 0 && words.every(holds);
  if (!every((word) => [name, category, sku, description].some((text) => begins(text, word))))
    return undefined;
  if (!isCorrected && isSame(sku, words)) return 1;
  if (!isCorrected && isSame(name, words)) return 2;
  if (every((word) => has(name, word))) return 3;
  if (every((word) => begins(name, word))) return 4;
  return every((word) => [name, category, sku].some((text) => begins(text, word))) ? 5 : 6;
}

type Compare = (a: ModelProduct, b: ModelProduct) => number;

const compares: Record<string, Compare> = {
  id: (a, b) => a.id - b.id,
  price: (a, b) => a.price - b.price || a.id - b.id,
  name: (a, b) => language.compare(a.name, b.name) || a.id - b.id,
  created_at: (a, b) => a.created_at.localeCompare(b.created_at) || a.id - b.id,
};

/**
 * Ids of the products that a search finds, in order.
 * @param isCorrected whether `q` is what was meant by a mistyped search, which finds nothing as it was typed
 */
export function searchModel(
  products: ModelProduct[],
  q: string,
  sort: string,
  isCorrected = false,
): number[] {
  const words = wordsOf(q);
  const found = products.flatMap((product) => {
    const tier = tierOf(product, words, isCorrected);
    return tier === undefined ? [] : [{ product, tier }];
  });
  const compare = compares[sort.replace('-', '')];
  const sign = sort.startsWith('-') ? -1 : 1;
  const inOrder =
    compare === undefined
      ? found.sort((a, b) => a.tier - b.tier || b.product.id - a.product.id)
      : found.sort((a, b) => sign * compare(a.product, b.product));
  return inOrder.map(({ product }) => product.id);
}
