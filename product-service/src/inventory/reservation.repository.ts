import type { Query } from '@shop/service-kit/postgres/query';
import type { Item, Line, ReservationStatus, Shortage } from './reservation.schemas.ts';

export interface Reservation {
  id: string;
  status: ReservationStatus;
  lines: Line[] | null;
  refusal: Shortage[] | null;
}

export interface ProductOnSale extends Omit<Line, 'quantity'> {
  stock: number;
}

interface Release {
  changed: boolean;
  productIds: number[];
}

/** At most this many are answered at once; the next question finds the next ones. */
const MAX_HELD = 500;

/** What is held for whom. Each call is one round trip; the functions stand in the first migration. */
export function createReservationRepository(query: Query) {
  return {
    /** @returns null when the id stands for other items. @throws unique violation when the same id is reserved at this moment */
    async reserve(id: string, items: Item[], actor: string): Promise<Reservation | null> {
      const productIds = items.map((item) => item.product_id);
      const quantities = items.map((item) => item.quantity);
      const rows = await query<Reservation[]>`
        SELECT id, status, lines, refusal
          FROM reserve_stock(${id}::uuid, ${productIds}::int[], ${quantities}::int[], ${actor}) AS r
         WHERE r.id IS NOT NULL`;
      return rows[0] ?? null;
    },

    /**
     * @returns those that are confirmed now. What the locks found is answered: another call may have confirmed them
     * after this statement began. The rows are locked in id order, for calls that overlap.
     */
    async confirm(ids: string[]): Promise<string[]> {
      const rows = await query<{ id: string }[]>`
        WITH found AS (
          SELECT id, status FROM reservations
           WHERE id = ANY (${ids}::uuid[]) AND status <> 'RELEASED' ORDER BY id FOR UPDATE
        ), confirmed AS (
          UPDATE reservations r SET status = 'CONFIRMED', updated_at = now()
            FROM found WHERE r.id = found.id AND found.status = 'HELD'
        )
        SELECT id FROM found`;
      return rows.map((row) => row.id);
    },

    async release(id: string, actor: string): Promise<Release> {
      const rows = await query<{ changed: boolean; product_ids: number[] }[]>`
        SELECT changed, product_ids FROM release_reservation(${id}::uuid, ${actor})`;
      return { changed: rows[0]?.changed ?? false, productIds: rows[0]?.product_ids ?? [] };
    },

    /** The oldest first. Index: reservations_held. */
    async listHeld(olderThanSeconds: number): Promise<{ id: string; created_at: Date }[]> {
      return query`
        SELECT id, created_at FROM reservations
         WHERE status = 'HELD' AND created_at <= now() - make_interval(secs => ${olderThanSeconds}::int)
         ORDER BY created_at LIMIT ${MAX_HELD}`;
    },

    /** How many are held and for how long, in seconds. Index: reservations_held. */
    async heldSummary(): Promise<{ count: number; oldest: number }> {
      const rows = await query<{ count: number; oldest: number }[]>`
        SELECT count(*)::int AS count, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS oldest
          FROM reservations WHERE status = 'HELD'`;
      return rows[0] ?? { count: 0, oldest: 0 };
    },

    /** The products as they are now. Index: the primary key. */
    async findProducts(productIds: number[]): Promise<ProductOnSale[]> {
      const rows = await query<(Omit<ProductOnSale, 'price_minor'> & { price_minor: string })[]>`
        SELECT id AS product_id, name, price_minor, owner_id, stock
          FROM products WHERE id = ANY (${productIds}::int[]) AND deleted_at IS NULL`;
      return rows.map((row) => ({ ...row, price_minor: Number(row.price_minor) }));
    },
  };
}
