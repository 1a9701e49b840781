import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import type { Product } from '../products/product.schemas.ts';
import {
  fromJson,
  PRODUCT_COLUMNS,
  type ProductJson,
  type ProductRow,
  toProduct,
} from '../products/product.sql.ts';
import type {
  HeldQuery,
  Line,
  NewReservation,
  ReservationState,
  ReservationStatus,
  Shortage,
} from './reservation.schemas.ts';

export interface Reservation {
  id: string;
  /** MISMATCH: the id belongs to other items. BUSY: another transaction locks a product, and nothing was reserved. */
  status: ReservationStatus | 'MISMATCH' | 'BUSY';
  lines: Line[] | null;
  refusal: Shortage[] | null;
  /** A product locked by another transaction, if known. */
  busy_product_id?: number;
}

export interface ProductOnSale extends Omit<Line, 'quantity'> {
  stock: number;
}

/** Products as they are after a change of their stock. */
interface Stocked {
  products: Product[];
}

interface Reserved extends Stocked {
  /** In any order. */
  reservations: Reservation[];
}

interface Release extends Stocked {
  changed: boolean;
}

/** Null: none are meant. */
interface StockedRow {
  products: ProductJson[] | null;
}

/** Joins the products of a set of rows to the row of the function in FROM, which runs first. */
const withProducts = (rows: Prisma.Sql) => Prisma.sql`
         CROSS JOIN LATERAL (
           SELECT json_agg(p) AS products FROM (SELECT ${PRODUCT_COLUMNS} FROM ${rows} AS p) AS p
         ) AS shown`;

/** Length of a page of reservations. */
const MAX_HELD = 500;

/** The statements for reservations. Each call is one round trip; the SQL functions are in the migrations. */
export function createReservationRepository(query: Query) {
  return {
    /**
     * @param wait milliseconds to wait for locked products; reservations of products that are still locked then are BUSY
     * @throws unique violation if one of the ids is being reserved at the same time: nothing is reserved then
     */
    async reserve(wanted: NewReservation[], actor: string, wait: number): Promise<Reserved> {
      const lines = wanted.flatMap(({ items }, index) => items.map((item) => ({ ...item, of: index + 1 })));
      const rows = await query<[{ reservations: Reservation[] } & StockedRow]>`
        SELECT reservations, products
          FROM reserve_baskets(
            ${wanted.map((entry) => entry.reservation_id)}::uuid[], ${lines.map((line) => line.of)}::int[],
            ${lines.map((line) => line.product_id)}::int[], ${lines.map((line) => line.quantity)}::int[],
            ${actor}, ${wait}::int) AS r
         ${withProducts(Prisma.sql`unnest(r.touched)`)}`;
      return { reservations: rows[0].reservations, products: toProducts(rows[0]) };
    },

    /**
     * Locks only what is still held, in id order, for calls that overlap: another call may have confirmed or released it
     * since this statement began.
     * @returns those that are confirmed now
     */
    async confirm(ids: string[]): Promise<string[]> {
      const rows = await query<{ id: string }[]>`
        WITH asked AS MATERIALIZED (
          SELECT id, status FROM reservations WHERE id = ANY (${ids}::uuid[]) AND status <> 'RELEASED'
        ), locked AS (
          SELECT id, status FROM reservations
           WHERE id = ANY (ARRAY(SELECT id FROM asked WHERE status = 'HELD')) AND status <> 'RELEASED'
           ORDER BY id FOR UPDATE
        ), confirmed AS (
          UPDATE reservations SET status = 'CONFIRMED', updated_at = now()
           WHERE id = ANY (ARRAY(SELECT id FROM locked WHERE status = 'HELD'))
        )
        SELECT id FROM asked WHERE status = 'CONFIRMED' UNION ALL SELECT id FROM locked`;
      return rows.map((row) => row.id);
    },

    async release(id: string, actor: string): Promise<Release> {
      const rows = await query<[{ changed: boolean } & StockedRow]>`
        SELECT changed, products
          FROM release_reservation(${id}::uuid, ${actor}) AS r
         ${withProducts(Prisma.sql`products_now(r.product_ids)`)}`;
      return { changed: rows[0].changed, products: toProducts(rows[0]) };
    },

    /** Those that exist. `refused`: at least one line could not be reserved. */
    async statusesOf(ids: string[]): Promise<ReservationState[]> {
      return query`
        SELECT id, status, refusal IS NOT NULL AS refused FROM reservations WHERE id = ANY (${ids}::uuid[])`;
    },

    /** The products of a reservation as they are now. */
    async productsOf(id: string): Promise<Product[]> {
      const rows = await query<ProductRow[]>`
        SELECT ${PRODUCT_COLUMNS} FROM products p
         WHERE p.deleted_at IS NULL AND p.id IN (
           SELECT (line ->> 'product_id')::int
             FROM reservations r CROSS JOIN jsonb_array_elements(r.lines) AS line WHERE r.id = ${id}::uuid)`;
      return rows.map(toProduct);
    },

    /** The oldest first. Index: reservations_held. */
    async listHeld(page: HeldQuery): Promise<{ id: string; created_at: Date }[]> {
      return query`
        SELECT id, created_at FROM reservations
         WHERE status = 'HELD' AND created_at <= now() - make_interval(secs => ${page.older_than}::int)
           AND created_at >= ${page.after_time}::timestamptz
           AND (created_at, id) > (${page.after_time}::timestamptz, ${page.after_id}::uuid)
         ORDER BY created_at, id LIMIT ${MAX_HELD}`;
    },

    /** Held or confirmed, in id order: UUIDv7 are in the order of time. Index: the primary key. */
    async listStanding(after: string): Promise<string[]> {
      const rows = await query<{ id: string }[]>`
        SELECT id FROM reservations WHERE id > ${after}::uuid AND status <> 'RELEASED' ORDER BY id LIMIT ${MAX_HELD}`;
      return rows.map((row) => row.id);
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

const toProducts = ({ products }: StockedRow): Product[] => products?.map(fromJson) ?? [];
