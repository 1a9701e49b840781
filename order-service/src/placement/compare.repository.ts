import type { Query } from '@shop/service-kit/postgres/query';
import type { Item } from '../clients/product.requests.ts';

/** An order that must have its stock. */
export interface StandingOrder {
  id: number;
  reservationId: string;
  createdAt: string;
  /** In id order. */
  items: Item[];
}

/** How many orders are compared at once. */
const PAGE = 200;

/** What is compared with product-service: reads only. */
export function createCompareRepository(query: Query) {
  return {
    /** The oldest first, from behind `after` on. Index: orders_by_time */
    standing(
      since: Date,
      after: Pick<StandingOrder, 'id' | 'createdAt'> | undefined,
    ): Promise<StandingOrder[]> {
      const { createdAt, id } = after ?? { createdAt: since.toISOString(), id: 0 };
      return query`
        SELECT o.id, o.reservation_id AS "reservationId",
               to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "createdAt",
               (SELECT json_agg(json_build_object('product_id', product_id, 'quantity', quantity) ORDER BY product_id)
                  FROM order_lines WHERE order_id = o.id) AS items
          FROM orders o
         WHERE o.placement = 'PLACED' AND o.status <> 'cancelled'
           AND (o.created_at, o.id) > (${createdAt}::timestamptz, ${id}::int)
         ORDER BY o.created_at, o.id LIMIT ${PAGE}::int`;
    },

    /** Those of these reservations whose order does not need them: cancelled, rejected or unknown. */
    async unneeded(reservationIds: string[]): Promise<string[]> {
      const rows = await query<{ id: string }[]>`
        SELECT asked.id FROM unnest(${reservationIds}::uuid[]) AS asked (id)
          LEFT JOIN orders o ON o.reservation_id = asked.id
         WHERE o.id IS NULL OR o.placement = 'REJECTED' OR o.status = 'cancelled'`;
      return rows.map((row) => row.id);
    },
  };
}

export type CompareRepository = ReturnType<typeof createCompareRepository>;
