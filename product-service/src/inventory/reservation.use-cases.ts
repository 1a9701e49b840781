import { isUniqueViolation } from '@shop/service-kit/postgres/database-errors';
import type { Query } from '@shop/service-kit/postgres/query';
import type { Product } from '../products/product.schemas.ts';
import { ReservationMismatch } from './reservation.errors.ts';
import {
  createReservationRepository,
  type ProductOnSale,
  type Reservation,
} from './reservation.repository.ts';
import type { Item, Line, Shortage } from './reservation.schemas.ts';

interface ReservationOptions {
  query: Query;
  /** Called with the products whose stock was changed, as they are now, after the commit and before the answer. */
  stockChanged: (products: Product[]) => Promise<void>;
}

/** Stock set aside for orders. Every call may be repeated: the answer is the same and nothing happens twice. */
export function createReservationUseCases({ query, stockChanged }: ReservationOptions) {
  const reservations = createReservationRepository(query);

  const reserveOnce = async (id: string, items: Item[], actor: string) => {
    const reservation = await reservations.reserve(id, items, actor);
    if (reservation === null) throw new ReservationMismatch();
    return reservation;
  };

  return {
    /**
     * Takes all items or nothing.
     * @throws ReservationMismatch when the id was used for other items
     */
    async reserve(id: string, items: Item[], actor: string): Promise<Reservation> {
      const { products, ...reservation } = await reserveOnce(id, items, actor).catch((error: unknown) => {
        // The same id was reserved or released in between; its row is there now.
        if (isUniqueViolation(error)) return reserveOnce(id, items, actor);
        throw error;
      });
      if (products.length > 0) await stockChanged(products);
      return reservation;
    },

    /** Confirms what is still held. Answers which are confirmed now; the others were released or never made. */
    confirm: (ids: string[]) => reservations.confirm(ids),

    /** Gives the stock back, once; an unknown id is closed for good. Answers whether stock came back now. */
    async release(id: string, actor: string): Promise<boolean> {
      const { changed, products } = await reservations.release(id, actor);
      if (changed) await stockChanged(products);
      return changed;
    },

    listHeld: (olderThanSeconds: number) => reservations.listHeld(olderThanSeconds),

    /** What the items would cost now, and which could not be had. Holds nothing. */
    async quote(items: Item[]): Promise<{ lines: Line[]; refusal: Shortage[] | null }> {
      const found = await reservations.findProducts(items.map((item) => item.product_id));
      const onSale = new Map(found.map((product) => [product.product_id, product]));
      const refusal = items.flatMap((item) => shortageOf(item, onSale.get(item.product_id)));
      const lines = items.flatMap((item) => {
        const product = onSale.get(item.product_id);
        return product === undefined ? [] : [{ ...product, quantity: item.quantity }];
      });
      return { lines, refusal: refusal.length === 0 ? null : refusal };
    },
  };
}

export type ReservationUseCases = ReturnType<typeof createReservationUseCases>;

function shortageOf({ product_id, quantity }: Item, product: ProductOnSale | undefined): Shortage[] {
  if (product !== undefined && product.stock >= quantity) return [];
  return [{ product_id, requested: quantity, available: product?.stock ?? null }];
}
