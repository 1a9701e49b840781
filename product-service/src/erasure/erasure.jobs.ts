import type { ReadChanges } from '@shop/service-kit/accounts/account-changes';
import { createErasure, type Erasure } from '@shop/service-kit/accounts/erasure';
import type { Query } from '@shop/service-kit/postgres/query';
import { z } from 'zod';
import type { ProductCache } from '../products/product.cache.ts';

const removedProducts = z.object({ ids: z.array(z.int()), categories: z.array(z.string()) });

interface ProductErasureOptions {
  query: Query;
  readChanges: ReadChanges | undefined;
  catalogueChanged: ProductCache['catalogueChanged'];
}

/** Deletes the products that a deleted user owns, as their owner would: orders and the ledger keep them. */
export function createProductErasure({
  query,
  readChanges,
  catalogueChanged,
}: ProductErasureOptions): Erasure {
  const { tasks, periodic } = createErasure({
    readChanges,
    query,
    async eraseBatch(userId, after, size) {
      // A separate statement, so that the next one's snapshot starts when no more products of this user can be added.
      await query`SELECT lock_seller(${userId}::int, TRUE)::text`;
      // The caches are invalidated by a job, because this process may die after the commit.
      const rows = await query<{ ids: number[] }[]>`
        WITH mine AS (
          SELECT id FROM products
           WHERE owner_id = ${userId}::int AND deleted_at IS NULL AND id > ${after}::int
           ORDER BY id LIMIT ${size}::int FOR NO KEY UPDATE
        ), removed AS (
          UPDATE products p
             SET deleted_at = now(), updated_at = now(), version = version + 1, catalogue_version = catalogue_version + 1
            FROM mine WHERE p.id = mine.id RETURNING p.id, p.category
        ), job AS MATERIALIZED (
          SELECT jobs.add('products_removed', json_build_object('ids', json_agg(id), 'categories', json_agg(DISTINCT category)))
            FROM removed HAVING count(*) > 0
        )
        SELECT array_agg(id ORDER BY id) AS ids FROM removed WHERE (SELECT count(*) FROM job) > 0 HAVING count(*) > 0`;
      return rows[0]?.ids ?? [];
    },
  });
  return {
    tasks: {
      ...tasks,
      async products_removed(payload) {
        const { ids, categories } = removedProducts.parse(payload);
        await catalogueChanged(ids, categories);
      },
    },
    periodic,
  };
}
