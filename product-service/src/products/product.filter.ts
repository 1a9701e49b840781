import { Prisma } from '../generated/prisma/client.ts';
import type { ProductQuery } from './product.schemas.ts';

export type ProductFilter = Pick<
  ProductQuery,
  'category' | 'min_price' | 'max_price' | 'in_stock' | 'owner_id' | 'ids'
>;

/** The SQL condition of a filter on the table `p`. It never matches deleted products. */
export function matching(filter: ProductFilter): Prisma.Sql {
  const { category, min_price, max_price, in_stock, owner_id, ids } = filter;
  const conditions = [
    Prisma.sql`p.deleted_at IS NULL`,
    category !== undefined && Prisma.sql`p.category = category_of(${category}::text)`,
    min_price !== undefined && Prisma.sql`p.price_minor >= ${min_price}::bigint`,
    max_price !== undefined && Prisma.sql`p.price_minor <= ${max_price}::bigint`,
    in_stock === true && Prisma.sql`p.available`,
    in_stock === false && Prisma.sql`NOT p.available`,
    owner_id !== undefined && Prisma.sql`p.owner_id = ${owner_id}::int`,
    ids !== undefined && Prisma.sql`p.id = ANY (${ids}::int[])`,
  ];
  return Prisma.join(
    conditions.filter((condition) => condition !== false),
    ' AND ',
  );
}
