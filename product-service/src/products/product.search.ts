import type { Window } from '@shop/service-kit/http/paging';
import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import { matching, narrows, type ProductFilter } from './product.filter.ts';
import { behind, type ListedProduct, sorted } from './product.order.ts';
import type { ProductKey, ProductOrder } from './product.schemas.ts';
import { PRODUCT_COLUMNS, type ProductRow, toProduct } from './product.sql.ts';
import type { ProductTotals, Total } from './product.totals.ts';

/** A search ranks this many of its matches at most, so that a common word costs as much as a rare one. */
const MAX_MATCHES = 100;
/** Where a filter leaves at most so many products, and this share of all, each of them is compared with the words. */
const FEW = 5000;
const FEW_OF_ALL = 0.02;

export interface Listing {
  rows: ListedProduct[];
  total: Total;
}

const NOTHING: Listing = { rows: [], total: { count: 0, isEstimate: false } };

/** Null where there are none. */
interface Words {
  words: string | null;
}

interface TypedWords extends Words {
  /** Each is a word of some product to its end. */
  are_whole: boolean;
}

interface SearchedRow extends ProductRow {
  matches: number;
  distance: number;
}

/**
 * Products by their words: every word of `q` must begin a word of name, category, SKU or description.
 * @param query plans each statement for its values
 */
export function createProductSearch(query: Query, totals: ProductTotals) {
  const leavesFew = async (filter: ProductFilter): Promise<boolean> => {
    if (!narrows(filter)) return false;
    const [left, all] = await Promise.all([totals.estimate(filter), totals.estimate({})]);
    return left <= Math.min(FEW, all * FEW_OF_ALL);
  };

  const read = async (
    found: Prisma.Sql,
    words: string,
    order: ProductOrder,
    ids: number[] | undefined,
    window: Window<ProductKey>,
  ): Promise<Listing> => {
    // Materialized: planned for all rows, so that no misjudged word makes a walk through the whole table look short.
    const rows = await query<SearchedRow[]>`
      WITH found AS MATERIALIZED (${found}
      ), matches AS MATERIALIZED (
        SELECT p.*, search_distance(p.search, ${words}::tsquery) AS distance FROM found p LIMIT ${MAX_MATCHES}::int
      ), page AS (
        SELECT ${PRODUCT_COLUMNS}, p.distance FROM matches p WHERE ${behind(window.after, order, ids)}
        ${sorted(order, ids)} LIMIT ${window.limit + 1}::int OFFSET ${window.offset}::int
      )
      SELECT (SELECT count(*)::int FROM matches) AS matches, p.* FROM (SELECT) AS one LEFT JOIN page p ON TRUE
      ${sorted(order, ids)}`;
    const count = rows[0]?.matches ?? 0;
    return {
      rows: rows.filter((row) => row.id !== null).map(toProduct),
      total: { count, isEstimate: count === MAX_MATCHES },
    };
  };

  return {
    /** One row more than the window shows. Where the words find nothing, known words that are spelled alike do. */
    async search(q: string, filter: ProductFilter, order: ProductOrder, window: Window<ProductKey>) {
      const [[typed], few] = await Promise.all([
        query<[TypedWords]>`
          SELECT search_query(${q})::text AS words, NOT EXISTS (
            SELECT FROM unnest(tsvector_to_array(to_tsvector('simple', ${q}))) AS typed (word)
             WHERE NOT EXISTS (SELECT FROM product_words AS known WHERE known.word = typed.word)
          ) AS are_whole`,
        leavesFew(filter),
      ]);
      const find = (words: string, areWhole: boolean) => {
        const found = few ? amongFew : areWhole ? wholeFirst : bySegment;
        return read(found(words, filter), words, order, filter.ids, window);
      };
      if (typed.words === null) return NOTHING;
      const listing = await find(typed.words, typed.are_whole);
      if (listing.total.count > 0) return listing;
      const [meant] = await query<[Words]>`SELECT corrected_query(${q})::text AS words`;
      return meant.words === null ? listing : find(meant.words, false);
    },
  };
}

/**
 * From the newest segment of ids to the oldest, each by its own words. Those of a wanted category are looked up with them:
 * where both are frequent, few products have both. Index: products_found.
 */
const bySegment = (words: string, filter: ProductFilter) => Prisma.sql`
        SELECT p.* FROM generate_series((SELECT max(id) FROM products) >> 16, 0, -1) AS segment, LATERAL (
          SELECT p.* FROM products p
           WHERE search_terms(p.search, p.id) @@ search_query_in(
                   ${words}::tsquery && plainto_tsquery('simple', ${filter.category ?? ''}::text), segment)
             AND ${matching(filter)}
          OFFSET 0
        ) AS p`;

/**
 * Those that have the words to their ends, then those that only begin with them: a prefix costs as much as all words that
 * begin with it, so that it is looked up when whole words do not find enough.
 */
function wholeFirst(words: string, filter: ProductFilter): Prisma.Sql {
  const whole = words.replaceAll(':*', '');
  return Prisma.sql`${bySegment(whole, filter)}
        UNION ALL ${bySegment(words, filter)} WHERE NOT ts_match_vq(p.search, ${whole}::tsquery)`;
}

/** Each product of the filter by its words. Indexes: those of the filter. */
const amongFew = (words: string, filter: ProductFilter) => Prisma.sql`
        SELECT p.* FROM products p WHERE ${matching(filter)} AND ts_match_vq(p.search, ${words}::tsquery)`;
