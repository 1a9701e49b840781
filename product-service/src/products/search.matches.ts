import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import type { ProductKey, ProductSort } from './product.cursor.ts';
import { behind, sorted } from './product.sort.ts';

/** The conditions of a search, on the table `p`. */
export interface Matches {
  where: Prisma.Sql;
  /** Queries in the order of relevance; the last one finds every match. */
  tiers: string[];
  /** A query for the planner's statistics that finds at least the same. */
  estimated: string;
  /** A query for the index that finds at least the same. */
  lookUp: string;
  /** Queries whose products are left out. */
  except?: string[];
}

/** The first `need` matches behind a place. */
export interface Wanted {
  sort: ProductSort;
  after: ProductKey | undefined;
  need: number;
  ids?: number[] | undefined;
}

export interface Match {
  id: number;
  tier: number;
}

interface Sample {
  /** Matches by tier. */
  tiers: Map<number, number>;
  found: number[];
}

interface MatchRow {
  id: number | null;
  tier: number;
  count: number;
}

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
        SELECT CASE WHEN ${passing(matches)} THEN ${tierOf(matches.tiers)} END AS tier, count(*)::int AS count,
               ARRAY[${Prisma.join(found)}] AS found
          FROM products p TABLESAMPLE SYSTEM (${share * 100}::real) REPEATABLE (1)
         WHERE ${matches.where} GROUP BY tier`;
      return {
        tiers: new Map(rows.flatMap(({ tier, count }) => (tier === null ? [] : [[tier, count] as const]))),
        found: queries.map((_, index) => rows.reduce((sum, row) => sum + (row.found[index] ?? 0), 0)),
      };
    },

    /** All matches are read, counted and sorted. Index: products_search. */
    async readAll(matches: Matches, { sort, after, need, ids }: Wanted) {
      // Materialized: planned for all rows, or Postgres might walk an order instead.
      const rows = await query<MatchRow[]>`
        WITH found AS MATERIALIZED (
          SELECT p.id, p.price_minor, p.name, p.created_at, ${tierOf(matches.tiers)} AS tier
            FROM products p WHERE ${found(matches)}
        ), page AS (
          SELECT p.id, p.tier FROM found p WHERE ${behind(after, sort, ids)} ${sorted(sort, ids)} LIMIT ${need}::int
        )
        SELECT (SELECT count(*)::int FROM found) AS count, page.* FROM (SELECT) AS one LEFT JOIN page ON TRUE`;
      return {
        found: rows.flatMap(({ id, tier }) => (id === null ? [] : { id, tier })),
        count: rows[0]?.count ?? 0,
      };
    },

    /** Matches among the next `scanned` products of the order. Indexes: products_pkey and products_listed_*. */
    async walk(matches: Matches, { sort, after, need, ids }: Wanted, scanned: number): Promise<Match[]> {
      return query<Match[]>`
        SELECT p.id, ${tierOf(matches.tiers)} AS tier
          FROM (SELECT p.* FROM products p WHERE ${matches.where} AND ${behind(after, sort, ids)}
                ${sorted(sort, ids)} LIMIT ${scanned}::int) AS p
         WHERE ${passing(matches)} LIMIT ${need}::int`;
    },
  };
}

const expected = ({ where, estimated }: Matches) =>
  Prisma.sql`${where} AND p.lexemes @@ ${estimated}::tsquery`;

const found = (matches: Matches) =>
  Prisma.sql`${matches.where} AND p.lexemes @@ ${matches.lookUp}::tsquery AND ${passing(matches)}`;

/** The same as a function call, for which no index is used. */
function passing({ tiers, except = [] }: Matches): Prisma.Sql {
  const every = tiers.at(-1);
  const conditions = [
    Prisma.sql`ts_match_vq(p.lexemes, ${every}::tsquery)`,
    ...except.map((tier) => Prisma.sql`NOT ts_match_vq(p.lexemes, ${tier}::tsquery)`),
  ];
  return Prisma.join(conditions, ' AND ');
}

function tierOf(tiers: string[]): Prisma.Sql {
  if (tiers.length === 1) return Prisma.sql`1`;
  const cases = tiers
    .slice(0, -1)
    .map((tier, index) => Prisma.sql`WHEN ts_match_vq(p.lexemes, ${tier}::tsquery) THEN ${index + 1}::int`);
  return Prisma.sql`CASE ${Prisma.join(cases, ' ')} ELSE ${tiers.length}::int END`;
}
