import { toPage, toWindow } from '@shop/service-kit/http/paging';
import type { User } from '@shop/service-kit/http/principal';
import { refuseBusy } from '../products/product.busy.ts';
import { assertPasses, guardOf, refuseUnlessPasses } from '../products/product.guard.ts';
import type { Product } from '../products/product.schemas.ts';
import { InsufficientStock, StockLimitExceeded } from './stock.errors.ts';
import type { StockRepository } from './stock.repository.ts';
import { type MovementsQuery, movementCursor } from './stock.schemas.ts';

interface StockUseCaseOptions {
  stock: StockRepository;
  /** Called with the products whose stock was changed, as they are now, after the commit and before the response. */
  stockChanged: (products: Product[]) => Promise<void>;
  /** Called with a product that is not as a client was shown it. */
  forget: (id: number) => Promise<void>;
}

/** A difference to a product's stock, as an owner makes it. */
export interface StockDifference {
  quantity: number;
  reason?: string | undefined;
}

export function createStockUseCases({ stock, stockChanged, forget }: StockUseCaseOptions) {
  return {
    /** @throws ProductNotFound, Forbidden, VersionMismatch, InsufficientStock, StockLimitExceeded */
    async adjustStock(
      id: number,
      { quantity, reason = 'adjustment' }: StockDifference,
      user: User,
      ifMatch?: string,
    ): Promise<Product> {
      const guard = guardOf(user, id, ifMatch, 'revision');
      const { found, changed } = await stock.add(id, quantity, reason, guard).catch(refuseBusy);
      if (changed === undefined) {
        await refuseUnlessPasses(guard, found, () => forget(id));
        if (quantity > 0) throw new StockLimitExceeded();
        throw new InsufficientStock({ product_id: id, requested: -quantity, available: found?.stock ?? 0 });
      }
      await stockChanged([changed]);
      return changed;
    },

    /** The ledger of a product, newest first. @throws ProductNotFound, Forbidden, MalformedRequest */
    async listMovements(id: number, query: MovementsQuery, user: User) {
      const window = toWindow(query, movementCursor);
      assertPasses(guardOf(user, id), await stock.findProduct(id));
      const [rows, total] = await Promise.all([stock.listMovements(id, window), stock.countMovements(id)]);
      const page = toPage(window, rows, total, (movement) => [movement.id] as const);
      return { movements: page.rows, ...page.paging };
    },
  };
}

export type StockUseCases = ReturnType<typeof createStockUseCases>;
