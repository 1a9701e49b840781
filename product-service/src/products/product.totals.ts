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
 * Counts the products that meet a condition on the table `p`, without reading all of them.
 * @param query plans each statement for its values
 * @param exact totals up to this are exact; beyond it the planner's estimate is used
 */
export function createProductTotals(query: Query, exact: number) {
  /** The planner's estimate. Its statistics are as old as the last ANALYZE; the table's size is current. */
  const estimate = async (where: Prisma.Sql): Promise<number> => {
    const rows = await query<[Plan]>`EXPLAIN (FORMAT JSON) SELECT FROM products p WHERE ${where}`;
    return rows[0]['QUERY PLAN'][0].Plan['Plan Rows'];
  };

  return {
    estimate,

    /** @param estimated an earlier result of `estimate`, if there is one */
    async total(where: Prisma.Sql, estimated?: number): Promise<Total> {
      const expected = estimated ?? (await estimate(where));
      // Near the limit an estimate is not good enough; only counting decides.
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
