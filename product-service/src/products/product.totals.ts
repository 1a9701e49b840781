import type { Query } from '@shop/service-kit/postgres/query';
import type { Prisma } from '../generated/prisma/client.ts';

export interface Total {
  count: number;
  isEstimate: boolean;
}

interface Plan {
  'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }];
}

/**
 * How many products meet a condition on the table `p`, without a look at all of them.
 * @param query plans each statement for its values
 * @param exact up to this many are counted, beyond them Postgres is asked what it expects
 */
export function createProductTotals(query: Query, exact: number) {
  /** What the planner expects from its statistics: these are as old as the last ANALYZE, the table's size is not. */
  const estimate = async (where: Prisma.Sql): Promise<number> => {
    const rows = await query<[Plan]>`EXPLAIN (FORMAT JSON) SELECT FROM products p WHERE ${where}`;
    return rows[0]['QUERY PLAN'][0].Plan['Plan Rows'];
  };

  return {
    estimate,

    /** @param estimated what `estimate` gave, if it was asked before */
    async total(where: Prisma.Sql, estimated?: number): Promise<Total> {
      const expected = estimated ?? (await estimate(where));
      // An estimate can be wrong: near the limit only counting tells on which side of it the truth is.
      if (expected > 2 * exact) return { count: expected, isEstimate: true };
      const rows = await query<[{ count: number }]>`
        SELECT count(*)::int AS count
          FROM (SELECT FROM products p WHERE ${where} LIMIT ${exact + 1}::int) AS counted`;
      const { count } = rows[0];
      return count > exact
        ? { count: Math.max(count, expected), isEstimate: true }
        : { count, isEstimate: false };
    },
  };
}

export type ProductTotals = ReturnType<typeof createProductTotals>;
