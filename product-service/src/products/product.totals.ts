import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';

export interface Total {
  count: number;
  isEstimate: boolean;
}

interface Plan {
  'QUERY PLAN': [{ Plan: { Plans: { 'Plan Rows': number }[] } }];
}

/** Milliseconds that the size of the catalogue is kept. It decides how totals are found, not what they are. */
const SIZE_KEPT = 5000;

/**
 * Counts the products that meet a condition on the table `p`, without reading all of them.
 * @param query plans each statement for its values
 * @param exact totals up to this are exact; beyond it the planner's estimate is used
 */
export function createProductTotals(query: Query, exact: number) {
  /** The planner's estimate of each. Its statistics are as old as the last ANALYZE; the table's size is current. */
  const estimates = async (wheres: Prisma.Sql[]): Promise<number[]> => {
    const parts = wheres.map((where) => Prisma.sql`ARRAY(SELECT 1 FROM products p WHERE ${where})`);
    const rows = await query<[Plan]>`EXPLAIN (FORMAT JSON) SELECT ${Prisma.join(parts)}`;
    return rows[0]['QUERY PLAN'][0].Plan.Plans.map((plan) => plan['Plan Rows']);
  };
  const estimate = async (where: Prisma.Sql): Promise<number> => {
    const [only = 0] = await estimates([where]);
    return only;
  };

  let known = { until: Number.NEGATIVE_INFINITY, size: Promise.resolve(0) };
  /** About how many products there are, 5 s ago at most. In a small catalogue this saves an estimate for each list. */
  const size = (): Promise<number> => {
    if (performance.now() >= known.until) {
      const latest = { until: performance.now() + SIZE_KEPT, size: estimate(Prisma.sql`TRUE`) };
      latest.size.catch(() => {
        latest.until = Number.NEGATIVE_INFINITY;
      });
      known = latest;
    }
    // The caller whose estimate failed may have had less time left than this one.
    return known.size.catch(() => estimate(Prisma.sql`TRUE`));
  };

  return {
    estimates,
    size,

    /** @param estimated an earlier estimate, if there is one */
    async total(where: Prisma.Sql, estimated?: number): Promise<Total> {
      // Near the limit an estimate is not good enough; only counting decides.
      const expected = estimated ?? ((await size()) > 2 * exact ? await estimate(where) : undefined);
      if (expected !== undefined && expected > 2 * exact) return { count: expected, isEstimate: true };
      const rows = await query<[{ count: number }]>`
        SELECT count(*)::int AS count
          FROM (SELECT FROM products p WHERE ${where} LIMIT ${exact + 1}::int) AS counted`;
      const { count } = rows[0];
      if (count <= exact) return { count, isEstimate: false };
      return { count: Math.max(count, expected ?? (await estimate(where))), isEstimate: true };
    },
  };
}

export type ProductTotals = ReturnType<typeof createProductTotals>;
