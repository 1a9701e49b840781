import type { Window } from '@shop/service-kit/http/paging';
import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import type { ProductKey, ProductSort } from './product.cursor.ts';
import { matching, type ProductFilter } from './product.filter.ts';
import type { ListedProduct } from './product.sort.ts';
import type { ProductTotals, Total } from './product.totals.ts';
import { findCorrections } from './search.corrections.ts';
import { anyOf, createMatchReader, type Matches, type Wanted } from './search.matches.ts';
import {
  correctable,
  longestOf,
  longRunsOf,
  lookUpOf,
  queryOf,
  type SearchText,
  type Term,
  termsOf,
  tiersOf,
} from './search.terms.ts';

export interface Listing {
  rows: ListedProduct[];
  total: Total;
}

/** How many products are looked at to see how frequent the matches of a search are. */
const SAMPLE = 500;
const NOTHING: Listing = { rows: [], total: { count: 0, isEstimate: false } };

interface Prepared {
  matches: Matches;
  /** In a small catalogue all matches are few. */
  isSmall: boolean;
  /** The number of matches, in a tier or in all, as a sample shows it; 0 without a sample. */
  seen: (tier?: number) => number;
}

interface Page {
  rows: ListedProduct[];
  /** The number of all matches; Infinity if not all were read. */
  count: number;
}

interface TextRow extends SearchText {
  category_words: string;
}

/**
 * Finds products by words: every word of `q` must be a word, or the beginning of one, in name, category, SKU or description.
 * @param query plans each statement for its values
 * @param few up to this many matches are all read, whatever the order
 */
export function createProductSearch(query: Query, totals: ProductTotals, few: number) {
  const reader = createMatchReader(query);

  /** Whether reading all expected matches costs less than walking an index to the last one needed. */
  const isFew = (expected: number, need: number, all: number) =>
    expected <= few || expected * expected <= need * all;

  /**
   * Looks at a sample: the planner knows how frequent words are, but takes any beginning of a word for rare that is no
   * frequent word itself. A small catalogue is neither sampled nor estimated: all matches are few there.
   */
  const sampled = async (matches: Matches, terms: Term[], text: TextRow): Promise<Prepared> => {
    const products = await totals.size();
    if (products <= few) return { matches, isSmall: true, seen: () => 0 };
    const share = Math.min(1, SAMPLE / products);
    const longest = longestOf(terms);
    const { tiers, found } = await reader.sample(matches, longest.map(queryOf), share);
    const every = [...tiers.values()].reduce((sum, count) => sum + count, 0);
    const frequency = (term: Term) => found[longest.indexOf(term)] ?? 0;
    return {
      isSmall: false,
      matches: { ...matches, lookUp: lookUpOf(longest, text.category_words, frequency) },
      seen: (tier) => Math.round((tier === undefined ? every : (tiers.get(tier) ?? 0)) / share),
    };
  };

  const prepare = async (q: string, filter: ProductFilter): Promise<Prepared | undefined> => {
    const [text] = await query<[TextRow]>`
      SELECT search_words(${q}) AS words, search_fold(${q}) AS folded,
             coalesce(search_words(category_of(${filter.category ?? null})), '') AS category_words`;
    const typed = termsOf(text);
    if (typed.length === 0) return undefined;
    const corrections = await findCorrections(query, correctable(typed));
    const terms = typed.map((term) => ({ ...term, corrections: corrections.get(term.word) ?? [] }));
    const runs = longRunsOf(text).map(
      (run) =>
        Prisma.sql`strpos(search_fold(concat_ws(' ', p.name, p.category, p.sku, p.description)), ${run}) > 0`,
    );
    const lookUp = lookUpOf(terms, text.category_words);
    const where = Prisma.join([matching(filter), ...runs], ' AND ');
    const tiers = tiersOf(text, terms);
    // The last tier finds every match.
    const every = tiers.at(-1) ?? '';
    return sampled({ where, tiers, firstTier: 1, every, estimated: lookUp, lookUp, except: [] }, terms, text);
  };

  /** Tiers `from` to `to` only, counted from 0. */
  const partOf = (matches: Matches, from: number, to: number): Matches => {
    const tiers = matches.tiers.slice(from, to);
    const every = anyOf(tiers);
    const except = matches.tiers.slice(0, from);
    return { ...matches, tiers, firstTier: from + 1, every, estimated: every, lookUp: every, except };
  };

  /** Tiers that are few together are read at once, until those before probably fill the page. */
  const endOfPart = (expected: number[], from: number, need: number, all: number) => {
    let [to, sum] = [from + 1, expected[from] ?? 0];
    for (const next of expected.slice(to)) {
      if (sum >= need || !isFew(sum + next, need, all)) break;
      sum += next;
      to += 1;
    }
    return { to, sum };
  };

  /**
   * Reads tier by tier until the page is full.
   * @param seen the number of matches in a tier at least, as far as known
   */
  const nearest = async (
    matches: Matches,
    wanted: Wanted,
    all: number,
    seen: (tier: number) => number,
  ): Promise<Page> => {
    const tiers = matches.tiers.map((_, index) => partOf(matches, index, index + 1));
    const estimated = await totals.estimates(tiers.map(reader.expected));
    const expected = estimated.map((rows, index) => Math.max(rows, seen(index + 1)));
    const rows: ListedProduct[] = [];
    const left = { ...wanted };
    let from = left.after === undefined ? 0 : Number(left.after[1]) - 1;
    let count = wanted.after === undefined ? 0 : Number.POSITIVE_INFINITY;
    while (from < tiers.length && left.limit > 0) {
      const { to, sum } = endOfPart(expected, from, left.offset + left.limit, all);
      const page = await readOrWalk(partOf(matches, from, to), left, sum, all);
      rows.push(...page.rows);
      left.limit -= page.rows.length;
      left.offset = Math.max(0, left.offset - page.count);
      left.after = undefined;
      count += page.count;
      from = to;
    }
    return { rows, count: from === tiers.length ? count : Number.POSITIVE_INFINITY };
  };

  /** Walks the index of the wanted order when that reaches the page sooner than reading all matches. */
  const readOrWalk = async (
    matches: Matches,
    wanted: Wanted,
    expected: number,
    all: number,
  ): Promise<Page> => {
    const need = wanted.offset + wanted.limit;
    if (!isFew(expected, need, all)) {
      const near = Math.ceil((3 * need * all) / expected) + 500;
      // Once more ten times as far: matches that are many stand close together where the order follows the words.
      for (const scanned of [near, 10 * near]) {
        const rows = await reader.walk(matches, wanted, scanned);
        if (rows.length === wanted.limit) return { rows, count: Number.POSITIVE_INFINITY };
      }
    }
    return reader.readAll(matches, wanted);
  };

  return {
    /** One row more than the window. */
    async search(
      q: string,
      filter: ProductFilter,
      sort: ProductSort,
      { limit, offset, after }: Window<ProductKey>,
    ): Promise<Listing> {
      const prepared = await prepare(q, filter);
      if (prepared === undefined) return NOTHING;
      const { matches, isSmall, seen } = prepared;
      const wanted = { sort, after, offset, limit: limit + 1, ids: filter.ids };
      const [estimated = 0, all = 0] = isSmall
        ? []
        : await totals.estimates([reader.expected(matches), matches.where]);
      const expected = Math.max(estimated, seen());
      if (isFew(expected, offset + limit + 1, all)) {
        const { rows, count } = await reader.readAll(matches, wanted);
        return { rows, total: { count, isEstimate: false } };
      }
      const [{ rows, count }, total] = await Promise.all([
        sort === 'relevance'
          ? nearest(matches, wanted, all, seen)
          : readOrWalk(matches, wanted, expected, all),
        totals.total(reader.found(matches), expected),
      ]);
      return { rows, total: Number.isFinite(count) ? { count, isEstimate: false } : total };
    },
  };
}
