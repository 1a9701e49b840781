import type { Window } from '@shop/service-kit/http/paging';
import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import type { ProductKey, ProductSort } from './product.cursor.ts';
import { matching, type ProductFilter } from './product.filter.ts';
import type { ListedProduct } from './product.sort.ts';
import { PRODUCT_COLUMNS, type ProductRow, toProduct } from './product.sql.ts';
import type { ProductTotals, Total } from './product.totals.ts';
import { findCorrections } from './search.corrections.ts';
import { createMatchReader, type Match, type Matches } from './search.matches.ts';
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
    return sampled({ where, tiers: tiersOf(text, terms), estimated: lookUp, lookUp }, terms, text);
  };

  /** Reads tier by tier until the page is full. @param seen the number of matches in a tier at least, as far as known */
  const nearest = async (
    matches: Matches,
    after: ProductKey | undefined,
    need: number,
    all: number,
    seen: (tier: number) => number,
  ) => {
    const found: Match[] = [];
    const first = after === undefined ? 0 : Number(after[1]) - 1;
    for (const [index, tier] of matches.tiers.entries()) {
      if (index < first || found.length >= need) continue;
      const place: ProductKey | undefined =
        after !== undefined && index === first ? ['-id', after[2], after[2]] : undefined;
      const wanted = { sort: '-id' as const, after: place, need: need - found.length };
      const inTier = {
        ...matches,
        tiers: [tier],
        estimated: tier,
        lookUp: tier,
        except: matches.tiers.slice(0, index),
      };
      const expected = Math.max(await totals.estimate(reader.expected(inTier)), seen(index + 1));
      const rows = await readOrWalk(inTier, wanted, expected, all);
      found.push(...rows.map(({ id }) => ({ id, tier: index + 1 })));
    }
    return found;
  };

  /** Walks the index of the wanted order when that reaches the page sooner than reading all matches. */
  const readOrWalk = async (
    matches: Matches,
    wanted: { sort: ProductSort; after: ProductKey | undefined; need: number; ids?: number[] | undefined },
    expected: number,
    all: number,
  ): Promise<Match[]> => {
    if (!isFew(expected, wanted.need, all)) {
      const near = Math.ceil((3 * wanted.need * all) / expected) + 500;
      // Once more ten times as far: matches that are many stand close together where the order follows the words.
      for (const scanned of [near, 10 * near]) {
        const found = await reader.walk(matches, wanted, scanned);
        if (found.length === wanted.need) return found;
      }
    }
    return (await reader.readAll(matches, wanted)).found;
  };

  const load = async (found: Match[]): Promise<ListedProduct[]> => {
    const ids = found.map(({ id }) => id);
    const rows = await query<ProductRow[]>`
      SELECT ${PRODUCT_COLUMNS} FROM products p WHERE p.id = ANY (${ids}::int[])`;
    const byId = new Map(rows.map((row) => [row.id, row]));
    return found.flatMap(({ id, tier }) => {
      const row = byId.get(id);
      return row === undefined ? [] : { ...toProduct(row), tier };
    });
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
      const need = offset + limit + 1;
      const wanted = { sort, after, need, ids: filter.ids };
      const expected = isSmall ? 0 : Math.max(await totals.estimate(reader.expected(matches)), seen());
      const all = expected <= few ? 0 : await totals.estimate(matches.where);
      if (isFew(expected, need, all)) {
        const { found, count } = await reader.readAll(matches, wanted);
        return { rows: await load(found.slice(offset)), total: { count, isEstimate: false } };
      }
      const [found, total] = await Promise.all([
        sort === 'relevance'
          ? nearest(matches, after, need, all, seen)
          : readOrWalk(matches, wanted, expected, all),
        totals.total(reader.found(matches), expected),
      ]);
      const isWhole = after === undefined && found.length < need;
      return {
        rows: await load(found.slice(offset)),
        total: isWhole ? { count: found.length, isEstimate: false } : total,
      };
    },
  };
}
