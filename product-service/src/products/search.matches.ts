import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import type { ProductKey, ProductSort } from './product.cursor.ts';
import { behind, type ListedProduct, sorted } from './product.sort.ts';
import { PRODUCT_COLUMNS, type ProductRow, toProduct } from './product.sql.ts';

/** The conditions of a search, or of a part of it, on the table `p`. */
export interface Matches {
  where: Prisma.Sql;
  /** Queries in the order of relevance. */
  tiers: string[];
  /** The number of the first one. */
  firstTier: number;
  /** A query that finds what the tiers find together. */
  every: string;
  /** A query for the planner's statistics that finds at least the same. */
  estimated: string;
  /** A query for the index that finds at least the same. */
  lookUp: string;
  /** Queries whose products are left out. */
  except: string[];
}

/** A page of matches: those behind a place, after the first `offset` of them. */
export interface Wanted {
  sort: ProductSort;
  after: ProductKey | undefined;
  offset: number;
  limit: number;
  ids?: number[] | undefined;
}

interface Sample {
  /** Matches by tier. */
  tiers: Map<number, number>;
  found: number[];
}

interface MatchRow extends ProductRow {
  tier: number;
}

type CountedRow = { count: number } & (MatchRow | { id: null });

/** The two ways to the matches of a search: by the index of words, or along the wanted order. */
export function createMatchReader(query: Query) {
  return {
    /** The condition that all matches meet. */
    found,
    /** The same as far as Postgres has statistics of it. */
    expected,

    /**
     * Looks at a part of all products, in pages that lie anywhere, the same ones each time.
     * @param queries of single words
     * @param share of all products, at most 1
     * @returns how many products match in each tier, and how many each of the queries finds
     */
    async sample(matches: Matches, queries: string[], share: number): Promise<Sample> {
      const found = queries.map(
        (one) => Prisma.sql`count(*) FILTER (WHERE ts_match_vq(p.lexemes, ${one}::tsquery))::int`,
      );
      const rows = await query<{ tier: number | null; count: number; found: number[] }[]>`
        SELECT CASE WHEN ${passing(matches)} THEN ${tierOf(matches)} END AS tier, count(*)::int AS count,
               ARRAY[${Prisma.join(found)}] AS found
          FROM products p TABLESAMPLE SYSTEM (${share * 100}::real) REPEATABLE (1)
         WHERE ${matches.where} GROUP BY tier`;
      return {
        tiers: new Map(rows.flatMap(({ tier, count }) => (tier === null ? [] : [[tier, count] as const]))),
        found: queries.map((_, index) => rows.reduce((sum, row) => sum + (row.found[index] ?? 0), 0)),
      };
    },

    /** All matches are read, counted and sorted. Index: products_search. */
    async readAll(
      matches: Matches,
      { sort, after, offset, limit, ids }: Wanted,
    ): Promise<{ rows: ListedProduct[]; count: number }> {
      // Materialized: planned for all rows, or Postgres might walk an order instead.
      const rows = await query<CountedRow[]>`
        WITH found AS MATERIALIZED (
          SELECT p.id, p.price_minor, p.name, p.created_at, ${tierOf(matches)} AS tier
            FROM products p WHERE ${found(matches)}
        ), page AS (
          SELECT p.id, p.tier FROM found p
           WHERE ${behind(after, sort, ids)} ${sorted(sort, ids)} LIMIT ${limit}::int OFFSET ${offset}::int
        )
        SELECT (SELECT count(*)::int FROM found) AS count, p.tier, ${PRODUCT_COLUMNS}
          FROM (SELECT) AS one LEFT JOIN (page JOIN products USING (id)) AS p ON TRUE ${sorted(sort, ids)}`;
      return {
        rows: rows.flatMap(({ count: _, ...row }) => (row.id === null ? [] : toProduct(row))),
        count: rows[0]?.count ?? 0,
      };
    },

    /**
     * Matches among the next `scanned` products of the order. By relevance only within one tier, which is in order of ids.
     * Indexes: products_pkey and products_listed_*.
     */
    async walk(matches: Matches, wanted: Wanted, scanned: number): Promise<ListedProduct[]> {
      const { sort, after, offset, limit, ids } = wanted.sort === 'relevance' ? byId(wanted) : wanted;
      const rows = await query<MatchRow[]>`
        SELECT ${PRODUCT_COLUMNS}, ${tierOf(matches)} AS tier
          FROM (SELECT p.* FROM products p WHERE ${matches.where} AND ${behind(after, sort, ids)}
                ${sorted(sort, ids)} LIMIT ${scanned}::int) AS p
         WHERE ${passing(matches)} LIMIT ${limit}::int OFFSET ${offset}::int`;
      return rows.map(toProduct);
    },
  };
}

/** A query that finds what any of these finds. */
export const anyOf = (queries: string[]): string => queries.map((query) => `(${query})`).join(' | ');

const byId = ({ after, ...wanted }: Wanted): Wanted => ({
  ...wanted,
  sort: '-id',
  after: after === undefined ? undefined : ['-id', after[2], after[2]],
});

const expected = ({ where, estimated }: Matches) =>
  Prisma.sql`${where} AND p.lexemes @@ ${estimated}::tsquery`;

const found = (matches: Matches) =>
  Prisma.sql`${matches.where} AND p.lexemes @@ ${matches.lookUp}::tsquery AND ${passing(matches)}`;

/** The same as a function call, for which no index is used. */
function passing({ every, except }: Matches): Prisma.Sql {
  const one = Prisma.sql`ts_match_vq(p.lexemes, ${every}::tsquery)`;
  return except.length === 0
    ? one
    : Prisma.sql`${one} AND NOT ts_match_vq(p.lexemes, ${anyOf(except)}::tsquery)`;
}

function tierOf({ tiers, firstTier }: Matches): Prisma.Sql {
  const last = Prisma.sql`${firstTier + tiers.length - 1}::int`;
  if (tiers.length === 1) return last;
  const cases = tiers
    .slice(0, -1)
    .map(
      (tier, index) =>
        Prisma.sql`WHEN ts_match_vq(p.lexemes, ${tier}::tsquery) THEN ${firstTier + index}::int`,
    );
  return Prisma.sql`CASE ${Prisma.join(cases, ' ')} ELSE ${last} END`;
}
