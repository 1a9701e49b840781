import { MOST_COUNTED, type Window } from '@shop/service-kit/http/paging';
import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import { MAX_STOCK } from '../products/product.fields.ts';
import type { FoundProduct, Guard } from '../products/product.guard.ts';
import { type Change, changeProduct } from '../products/product.sql.ts';
import type { MovementKey, StockMovement } from './stock.schemas.ts';

interface MovementRow extends Omit<StockMovement, 'id'> {
  id: string;
}

/** Stock and its ledger. Each call is one statement. */
export function createStockRepository(query: Query) {
  return {
    /** Nothing is changed where the stock would leave its bounds. */
    add(id: number, quantity: number, reason: string, guard: Guard): Promise<Change> {
      return changeProduct(query, {
        id,
        guard,
        set: [Prisma.sql`stock = p.stock + ${quantity}::int`],
        // Stock that is given back may exceed the bound: reductions are possible then, too.
        condition:
          quantity > 0
            ? Prisma.sql`p.stock <= ${MAX_STOCK - quantity}::int`
            : Prisma.sql`p.stock >= ${-quantity}::int`,
        reason,
      });
    },

    async findProduct(id: number): Promise<FoundProduct | undefined> {
      const rows = await query<FoundProduct[]>`
        SELECT owner_id, catalogue_version AS version, version AS revision, stock, category FROM products WHERE id = ${id}::int AND deleted_at IS NULL`;
      return rows[0];
    },

    /** Newest first, one row more than the window shows. Index: stock_movements_product_id_id_idx. */
    async listMovements(productId: number, window: Window<MovementKey>): Promise<StockMovement[]> {
      const behind =
        window.after === undefined ? Prisma.sql`TRUE` : Prisma.sql`id < ${window.after[0]}::bigint`;
      const rows = await query<MovementRow[]>`
        SELECT id, delta, reason, actor, reference, stock_after, created_at FROM stock_movements
         WHERE product_id = ${productId}::int AND ${behind}
         ORDER BY id DESC LIMIT ${window.limit + 1}::int OFFSET ${window.offset}::int`;
      return rows.map((row) => ({ ...row, id: Number(row.id) }));
    },

    async countMovements(productId: number): Promise<number> {
      const rows = await query<[{ total: number }]>`
        SELECT count(*)::int AS total FROM (
          SELECT FROM stock_movements WHERE product_id = ${productId}::int LIMIT ${MOST_COUNTED}::int) AS counted`;
      return rows[0].total;
    },
  };
}

export type StockRepository = ReturnType<typeof createStockRepository>;
