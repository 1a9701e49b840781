type SearchPanel =
  | 'Search: whole words'
  | 'Search: beginnings and typing errors'
  | 'Search: filtered and sorted';

/** A kind of query with its variant number `i`: all variants differ, so that none is served from a cache. */
export interface QueryKind {
  name: string;
  panel: 'Lists' | 'Depth of a cursor' | SearchPanel;
  /** The query string. Undefined if the catalogue is too small for it. */
  query: (i: number, places: Places) => string | undefined;
}

/** Milliseconds. */
export interface Figure {
  p50: number;
  p99: number;
}

/** Figures by size, for each kind of query. */
export type Result = Pick<QueryKind, 'name' | 'panel'> & { figures: Map<number, Figure> };

export type CursorSort = 'id' | 'price';

/** The rows at some depths, by `sort:depth`. */
export type Places = Map<string, { value: number; id: number }>;

export const DEPTHS = [10, 1000, 100_000];
export const CURSOR_SORTS: CursorSort[] = ['id', 'price'];

/** An upper bound above all prices: it makes the query unique and excludes nothing. */
const all = (i: number) => `max_price=${8_000_000 + i / 100}`;

/** Punctuation is ignored by the search: it makes the query unique. */
const own = (q: string, i: number) =>
  `q=${encodeURIComponent(`${q} ${[...i.toString(4)].map((digit) => '!?.,'[Number(digit)]).join('')}`)}`;

const sortedBy = (sort: string): QueryKind => ({
  name: `sort=${sort}`,
  panel: 'Lists',
  query: (i) => `sort=${sort}&${all(i)}`,
});

const searchOf =
  (panel: SearchPanel, rest: (i: number) => string = () => '') =>
  (name: string, words: (i: number) => string): QueryKind => ({
    name,
    panel,
    query: (i) => own(words(i), i) + rest(i),
  });
const wholeWords = searchOf('Search: whole words');
const beginnings = searchOf('Search: beginnings and typing errors');
const filtered = (rest: (i: number) => string) => searchOf('Search: filtered and sorted', rest);

const behind = (sort: CursorSort, depth: number): QueryKind => ({
  name: `${sort}, behind row ${depth.toLocaleString('en')}`,
  panel: 'Depth of a cursor',
  query(i, places) {
    const place = places.get(`${sort}:${depth}`);
    if (place === undefined) return undefined;
    const cursor = Buffer.from(JSON.stringify([sort, place.value, place.id])).toString('base64url');
    return `sort=${sort}&${all(i)}&cursor=${cursor}`;
  },
});

const pickOf = (words: string[]) => (i: number) => words[i % words.length] ?? '';
const things = pickOf(['kettle', 'lamp', 'chair', 'tent', 'radio', 'board', 'clock', 'knife']);
/** From 5 % to 1 % of all products each. */
const categories = pickOf(['Lorka', 'Lorlo', 'Minka', 'Lormi', 'Tekka', 'Minlo']);
/** About 0.3 % of all products each. */
const brands = pickOf(['kalorra', 'ralorka', 'kalorte', 'kalormi', 'telorka', 'kasonka']);
const materials = pickOf(['steel', 'oak', 'glass', 'wool', 'cork', 'brass', 'stone']);

export const QUERIES: QueryKind[] = [
  { name: 'plain list', panel: 'Lists', query: all },
  {
    name: 'category, price, in stock',
    panel: 'Lists',
    query: (i) =>
      `category=${categories(i)}&min_price=${100 + (i % 1000)}.${10 + (i % 90)}&max_price=${3000 + i / 100}&in_stock=true`,
  },
  {
    name: 'sold out, newest first',
    panel: 'Lists',
    query: (i) => `in_stock=false&sort=-created_at&${all(i)}`,
  },
  ...['price', '-price', 'name', '-name', '-created_at'].map(sortedBy),
  ...CURSOR_SORTS.flatMap((sort) => DEPTHS.map((depth) => behind(sort, depth))),
  wholeWords('word of one product', (i) => `x${(1 + ((i * 7919) % 1000)).toString(16).padStart(6, '0')}`),
  wholeWords('SKU', (i) => `SKU-${1 + ((i * 7919) % 1000)}`),
  wholeWords('word of 0.3 %', brands),
  wholeWords('word of 2 %', things),
  wholeWords('word of half of them', pickOf(['wireless', 'pro'])),
  wholeWords('two words', (i) => `${things(i)} ${materials(i)}`),
  wholeWords('three words', (i) => `${things(i)} ${materials(i)} wireless`),
  wholeWords('two words that none has', pickOf(['wired wireless', 'wireless wired'])),
  beginnings('part of a SKU', (i) => `${1 + ((i * 7919) % 1000)}`),
  beginnings('prefix of 1 letter', (i) => things(i).slice(0, 1)),
  beginnings('prefix of 2 letters', (i) => things(i).slice(0, 2)),
  beginnings('prefix of 3 letters', (i) => things(i).slice(0, 3)),
  beginnings('mistyped word', pickOf(['keettle', 'hedphones', 'turntabel', 'microfone', 'blankket'])),
  filtered((i) => `&category=${categories(i)}`)('word, category', things),
  filtered((i) => `&category=${categories(i)}&sort=price`)('word, category, by price', things),
  filtered(() => '&sort=price')('word of 2 %, by price', things),
  filtered(() => '&sort=price')('word of 0.3 %, by price', brands),
];
