import type { Window } from '@shop/service-kit/http/paging';
import { Prisma, type PrismaClient } from '../generated/prisma/client.ts';
import type { Guard } from './product.guard.ts';
import type { Product, ProductFields, ProductKey, ProductOrder, ProductQuery } from './product.schemas.ts';
import { type Change, changeProduct, PRODUCT_COLUMNS, type ProductRow, toProduct } from './product.sql.ts';

export type ProductFilter = Pick<
  ProductQuery,
  'category' | 'min_price' | 'max_price' | 'in_stock' | 'owner_id' | 'ids'
>;

/** Fields that are undefined stay as they are. */
export type ProductChanges = { [Field in keyof ProductFields]?: ProductFields[Field] | undefined };

/** More categories than this are not listed: the list has no pages. */
const MAX_CATEGORIES = 1000;

/** The table of products; deleted ones are never found. Each call is one statement. */
export function createProductRepository(db: PrismaClient) {
  return {
    /** @throws unique violation of products_sku_key */
    async create(fields: ProductFields, ownerId: number): Promise<Product> {
      const rows = await db.$queryRaw<[ProductRow]>`
        WITH p AS (
          INSERT INTO products (name, description, price_minor, stock, category, sku, image_url, owner_id)
          VALUES (${fields.name}, ${fields.description}, ${fields.price_minor}::bigint, ${fields.stock}::int,
                  ${fields.category}, ${fields.sku}, ${fields.image_url}, ${ownerId}::int)
          RETURNING *
        ), ledger AS (
          INSERT INTO stock_movements (product_id, delta, reason, actor, stock_after)
          SELECT id, stock, 'initial', ${`user:${ownerId}`}, stock FROM p WHERE stock > 0
        )
        SELECT ${PRODUCT_COLUMNS} FROM p`;
      return toProduct(rows[0]);
    },

    /** Index: the primary key. */
    async find(id: number): Promise<Product | undefined> {
      const rows = await db.$queryRaw<ProductRow[]>`
        SELECT ${PRODUCT_COLUMNS} FROM products p WHERE p.id = ${id}::int AND p.deleted_at IS NULL`;
      return rows[0] && toProduct(rows[0]);
    },

    /** One row more than the window shows, in the order asked for. Indexes: products_listed_*. */
    async list(filter: ProductFilter, order: ProductOrder, window: Window<ProductKey>): Promise<Product[]> {
      const column = sortColumn(order, filter.ids);
      const direction = order.startsWith('-') ? Prisma.sql`DESC` : Prisma.sql`ASC`;
      const rows = await db.$queryRaw<ProductRow[]>`
        SELECT ${PRODUCT_COLUMNS} FROM products p
         WHERE ${matching(filter)} AND ${behind(window.after, order, column)}
         ORDER BY ${column} ${direction}, p.id ${direction}
         LIMIT ${window.limit + 1}::int OFFSET ${window.offset}::int`;
      return rows.map(toProduct);
    },

    async count(filter: ProductFilter): Promise<number> {
      const rows = await db.$queryRaw<[{ total: number }]>`
        SELECT count(*)::int AS total FROM products p WHERE ${matching(filter)}`;
      return rows[0].total;
    },

    /** In code point order, which no server's language settings change. Index: products_listed_category. */
    countByCategory(): Promise<{ category: string; count: number }[]> {
      return db.$queryRaw`
        SELECT category, count(*)::int AS count FROM products WHERE deleted_at IS NULL
         GROUP BY category ORDER BY category COLLATE "C" LIMIT ${MAX_CATEGORIES}::int`;
    },

    /** @throws unique violation of products_sku_key */
    change(id: number, changes: ProductChanges, guard: Guard): Promise<Change> {
      return changeProduct(db, { id, guard, set: assignments(changes), reason: 'set' });
    },

    remove(id: number, guard: Guard): Promise<Change> {
      return changeProduct(db, { id, guard, set: [Prisma.sql`deleted_at = now()`], reason: 'deleted' });
    },
  };
}

export type ProductRepository = ReturnType<typeof createProductRepository>;

/** The value by which a row is sorted, as a cursor holds it. */
export function keyOf(product: Product, order: ProductOrder, ids: number[] = []): ProductKey {
  const value = {
    id: product.id,
    price: product.price_minor,
    name: product.name,
    created_at: product.created_at.getTime(),
    ids: ids.indexOf(product.id),
  }[bare(order)];
  return [order, value, product.id];
}

const bare = (order: ProductOrder) =>
  order.replace('-', '') as 'id' | 'price' | 'name' | 'created_at' | 'ids';

function sortColumn(order: ProductOrder, ids: number[] = []): Prisma.Sql {
  return {
    id: Prisma.sql`p.id`,
    price: Prisma.sql`p.price_minor`,
    name: Prisma.sql`p.name`,
    created_at: Prisma.sql`p.created_at`,
    ids: Prisma.sql`array_position(${ids}::int[], p.id) - 1`,
  }[bare(order)];
}

/** The rows behind the one that a cursor names. */
function behind(after: ProductKey | undefined, order: ProductOrder, column: Prisma.Sql): Prisma.Sql {
  if (after === undefined) return Prisma.sql`TRUE`;
  const [, key, id] = after;
  const value = {
    id: Prisma.sql`${key}::bigint`,
    price: Prisma.sql`${key}::bigint`,
    name: Prisma.sql`${key}::text`,
    created_at: Prisma.sql`to_timestamp(${key}::float8 / 1000)`,
    ids: Prisma.sql`${key}::bigint`,
  }[bare(order)];
  const operator = order.startsWith('-') ? Prisma.sql`<` : Prisma.sql`>`;
  return Prisma.sql`(${column}, p.id) ${operator} (${value}, ${id}::int)`;
}

function matching(filter: ProductFilter): Prisma.Sql {
  const { category, min_price, max_price, in_stock, owner_id, ids } = filter;
  const conditions = [
    Prisma.sql`p.deleted_at IS NULL`,
    category !== undefined && Prisma.sql`p.category = ${category}`,
    min_price !== undefined && Prisma.sql`p.price_minor >= ${min_price}::bigint`,
    max_price !== undefined && Prisma.sql`p.price_minor <= ${max_price}::bigint`,
    in_stock === true && Prisma.sql`p.stock > 0`,
    in_stock === false && Prisma.sql`p.stock = 0`,
    owner_id !== undefined && Prisma.sql`p.owner_id = ${owner_id}::int`,
    ids !== undefined && Prisma.sql`p.id = ANY (${ids}::int[])`,
  ];
  return Prisma.join(
    conditions.filter((condition) => condition !== false),
    ' AND ',
  );
}

function assignments(changes: ProductChanges): Prisma.Sql[] {
  const { name, description, price_minor, stock, category, sku, image_url } = changes;
  const columns = [
    name !== undefined && Prisma.sql`name = ${name}`,
    description !== undefined && Prisma.sql`description = ${description}`,
    price_minor !== undefined && Prisma.sql`price_minor = ${price_minor}::bigint`,
    stock !== undefined && Prisma.sql`stock = ${stock}::int`,
    category !== undefined && Prisma.sql`category = ${category}`,
    sku !== undefined && Prisma.sql`sku = ${sku}`,
    image_url !== undefined && Prisma.sql`image_url = ${image_url}`,
  ];
  return columns.filter((column) => column !== false);
}
