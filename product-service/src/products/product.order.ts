import { Prisma } from '../generated/prisma/client.ts';
import type { Product, ProductKey, ProductOrder } from './product.schemas.ts';

/** A product as a list finds it. */
export interface ListedProduct extends Product {
  /** How far it is from what was searched; the nearest come first. Undefined without a search. */
  distance?: number;
}

type SortField = 'id' | 'price' | 'name' | 'created_at' | 'ids' | 'relevance';

const fieldOf = (order: ProductOrder) => order.replace('-', '') as SortField;

const isDescending = (order: ProductOrder) => order.startsWith('-');

/** The value by which a row is sorted, as a cursor holds it. */
export function keyOf(product: ListedProduct, order: ProductOrder, ids: number[] = []): ProductKey {
  const value = {
    id: product.id,
    price: product.price_minor,
    name: product.name,
    created_at: product.created_at.getTime(),
    ids: ids.indexOf(product.id),
    relevance: product.distance ?? 0,
  }[fieldOf(order)];
  return [order, value, product.id];
}

/** `ORDER BY` over columns of `p`. The id makes each row's place its own. */
export function sorted(order: ProductOrder, ids?: number[]): Prisma.Sql {
  const direction = isDescending(order) ? Prisma.sql`DESC` : Prisma.sql`ASC`;
  return Prisma.sql`ORDER BY ${column(order, ids)} ${direction}, p.id ${direction}`;
}

/** The condition that holds for the rows behind the one that a cursor names. */
export function behind(after: ProductKey | undefined, order: ProductOrder, ids?: number[]): Prisma.Sql {
  if (after === undefined) return Prisma.sql`TRUE`;
  const [, key, id] = after;
  const value = {
    id: Prisma.sql`${key}::bigint`,
    price: Prisma.sql`${key}::bigint`,
    name: Prisma.sql`${key}::text`,
    created_at: Prisma.sql`to_timestamp(${key}::float8 / 1000)`,
    ids: Prisma.sql`${key}::bigint`,
    relevance: Prisma.sql`${key}::float4`,
  }[fieldOf(order)];
  const operator = isDescending(order) ? Prisma.sql`<` : Prisma.sql`>`;
  return Prisma.sql`(${column(order, ids)}, p.id) ${operator} (${value}, ${id}::int)`;
}

function column(order: ProductOrder, ids: number[] = []): Prisma.Sql {
  return {
    id: Prisma.sql`p.id`,
    price: Prisma.sql`p.price_minor`,
    name: Prisma.sql`p.name`,
    created_at: Prisma.sql`p.created_at`,
    ids: Prisma.sql`array_position(${ids}::int[], p.id) - 1`,
    relevance: Prisma.sql`p.distance`,
  }[fieldOf(order)];
}
