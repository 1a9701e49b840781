import { Prisma } from '../generated/prisma/client.ts';
import type { ProductKey, ProductSort } from './product.cursor.ts';
import type { Product } from './product.schemas.ts';

/** A row of a list. */
export interface ListedProduct extends Product {
  /** Relevance tier in a search; 1 is the best. Undefined without a search. */
  tier?: number;
}

type SortField = 'id' | 'price' | 'name' | 'created_at' | 'ids' | 'relevance';

/** Sorted by one value and, in the same direction, by id. */
type ColumnField = Exclude<SortField, 'relevance'>;

const fieldOf = (sort: ProductSort) => sort.replace('-', '') as SortField;

const isDescending = (sort: ProductSort) => sort.startsWith('-');

/** The sort value of a row, as a cursor contains it. */
export function keyOf(product: ListedProduct, sort: ProductSort, ids: number[] = []): ProductKey {
  const value = {
    id: product.id,
    price: product.price_minor,
    name: product.name,
    created_at: product.created_at.getTime(),
    ids: ids.indexOf(product.id),
    relevance: product.tier ?? 1,
  }[fieldOf(sort)];
  return [sort, value, product.id];
}

/** `ORDER BY` over columns of `p`. The id makes the order total; within equal relevance the newest come first. */
export function sorted(sort: ProductSort, ids?: number[]): Prisma.Sql {
  if (sort === 'relevance') return Prisma.sql`ORDER BY p.tier, p.id DESC`;
  const direction = isDescending(sort) ? Prisma.sql`DESC` : Prisma.sql`ASC`;
  return Prisma.sql`ORDER BY ${column(sort, ids)} ${direction}, p.id ${direction}`;
}

/** The condition for the rows after the cursor's row. */
export function behind(after: ProductKey | undefined, sort: ProductSort, ids?: number[]): Prisma.Sql {
  if (after === undefined) return Prisma.sql`TRUE`;
  const [, key, id] = after;
  if (sort === 'relevance') {
    return Prisma.sql`(p.tier > ${key}::int OR (p.tier = ${key}::int AND p.id < ${id}::int))`;
  }
  const value = {
    id: Prisma.sql`${key}::bigint`,
    price: Prisma.sql`${key}::bigint`,
    name: Prisma.sql`${key}::text`,
    created_at: Prisma.sql`to_timestamp(${key}::float8 / 1000)`,
    ids: Prisma.sql`${key}::bigint`,
  }[fieldOf(sort) as ColumnField];
  const operator = isDescending(sort) ? Prisma.sql`<` : Prisma.sql`>`;
  return Prisma.sql`(${column(sort, ids)}, p.id) ${operator} (${value}, ${id}::int)`;
}

function column(sort: ProductSort, ids: number[] = []): Prisma.Sql {
  return {
    id: Prisma.sql`p.id`,
    price: Prisma.sql`p.price_minor`,
    name: Prisma.sql`p.name COLLATE "und-x-icu"`,
    created_at: Prisma.sql`p.created_at`,
    ids: Prisma.sql`array_position(${ids}::int[], p.id) - 1`,
  }[fieldOf(sort) as ColumnField];
}
