import type { Window } from '@shop/service-kit/http/paging';
import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import type { ProductKey, ProductSort } from './product.cursor.ts';
import { FIELD_COLUMNS } from './product.fields.ts';
import { matching, type ProductFilter } from './product.filter.ts';
import type { Guard } from './product.guard.ts';
import type { Product, ProductFields } from './product.schemas.ts';
import { createProductSearch, type Listing } from './product.search.ts';
import { behind, sorted } from './product.sort.ts';
import { type Change, changeProduct, PRODUCT_COLUMNS, type ProductRow, toProduct } from './product.sql.ts';
import { createProductTotals } from './product.totals.ts';

/** Undefined fields keep their values. */
export type ProductChanges = { [Field in keyof ProductFields]?: ProductFields[Field] | undefined };

/** A filter, and words to search for, if there are any. */
type SearchFilter = ProductFilter & { q?: string | undefined };

/** At most this many categories are listed, because the list has no pages. */
const MAX_CATEGORIES = 1000;
/** So many categories of a sole seller come before the others that only one seller uses. */
const FIRST_OF_SELLER = 50;
/** Totals are counted up to the deepest page. */
const EXACT_TOTALS = 10_000;
const FEW_MATCHES = 2000;

export interface ProductRepositoryOptions {
  query: Query;
  /** Plans each statement for its values: lists and changes have many forms. */
  unprepared: Query;
  /** Totals up to this are counted. */
  exactTotals?: number | undefined;
  /** Up to this many matches of a search are all read, whatever the order. */
  fewMatches?: number | undefined;
}

/** The products table without deleted rows. Every change is one statement. */
export function createProductRepository({
  query,
  unprepared,
  exactTotals = EXACT_TOTALS,
  fewMatches = FEW_MATCHES,
}: ProductRepositoryOptions) {
  const totals = createProductTotals(unprepared, exactTotals);
  const { search } = createProductSearch(unprepared, totals, fewMatches);

  /** Without words to search for. Indexes: products_pkey and products_listed_*. */
  const readPage = async (filter: ProductFilter, sort: ProductSort, window: Window<ProductKey>) => {
    const rows = await unprepared<ProductRow[]>`
      SELECT ${PRODUCT_COLUMNS} FROM products p
       WHERE ${matching(filter)} AND ${behind(window.after, sort, filter.ids)}
       ${sorted(sort, filter.ids)} LIMIT ${window.limit + 1}::int OFFSET ${window.offset}::int`;
    return rows.map(toProduct);
  };

  return {
    /** One row more than the window, in the requested order. */
    async findPage(filter: SearchFilter, sort: ProductSort, window: Window<ProductKey>): Promise<Product[]> {
      if (filter.q === undefined) return readPage(filter, sort, window);
      return (await search(filter.q, filter, sort, window)).rows;
    },

    /** @throws unique violation of products_sku_key */
    async create(fields: ProductFields, ownerId: number): Promise<Product> {
      const columns = columnsOf(fields);
      const rows = await query<[ProductRow]>`
        WITH p AS (
          INSERT INTO products (${Prisma.join(columns.map(({ name }) => name))}, owner_id)
          VALUES (${Prisma.join(columns.map(({ value }) => value))}, ${ownerId}::int)
          RETURNING *
        ), ledger AS (
          INSERT INTO stock_movements (product_id, delta, reason, actor, stock_after)
          SELECT id, stock, 'initial', ${`user:${ownerId}`}, stock FROM p WHERE stock > 0
        )
        SELECT ${PRODUCT_COLUMNS} FROM p`;
      return toProduct(rows[0]);
    },

    /** Index: the primary key. */
    async findAll(ids: number[]): Promise<Product[]> {
      const rows = await query<ProductRow[]>`
        SELECT ${PRODUCT_COLUMNS} FROM products p WHERE p.id = ANY(${ids}::int[]) AND p.deleted_at IS NULL`;
      return rows.map(toProduct);
    },

    /** A page, searched by words if there are any, and the total number of products. */
    async list(filter: SearchFilter, sort: ProductSort, window: Window<ProductKey>): Promise<Listing> {
      if (filter.q !== undefined) return search(filter.q, filter, sort, window);
      const [rows, total] = await Promise.all([
        readPage(filter, sort, window),
        totals.total(matching(filter)),
      ]);
      return { rows, total };
    },

    /**
     * In language order. If there are more than can be listed, the largest are: first those of several sellers, and a limited
     * number of each sole seller, so that no seller can displace the others. Among equal sizes older ones win.
     * Index: category_counts_pkey.
     */
    async countByCategory(): Promise<{ category: string; count: number }[]> {
      return query<{ category: string; count: number }[]>`
        WITH counted AS (
          SELECT category, sum(products)::int AS count FROM category_counts GROUP BY category HAVING sum(products) > 0
        ), placed AS (
          SELECT c.id, c.owner_id, counted.*,
                 row_number() OVER (PARTITION BY c.owner_id ORDER BY counted.count DESC, c.id) AS place
            FROM counted LEFT JOIN categories c ON c.name = counted.category
        ), listed AS (
          SELECT category, count FROM placed
           ORDER BY owner_id IS NOT NULL AND place > ${FIRST_OF_SELLER}::int, count DESC, id LIMIT ${MAX_CATEGORIES}::int
        )
        SELECT category, count FROM listed ORDER BY category COLLATE "und-x-icu"`;
    },

    /** @throws unique violation of products_sku_key */
    change(id: number, changes: ProductChanges, guard: Guard): Promise<Change> {
      const columns = columnsOf(changes);
      return changeProduct(unprepared, {
        id,
        guard,
        set: columns.map(({ name, value }) => Prisma.sql`${name} = ${value}`),
        changesCatalogue: differenceIn(columns.filter(({ ofStock }) => !ofStock)),
        reason: 'set',
      });
    },

    remove(id: number, guard: Guard): Promise<Change> {
      return changeProduct(unprepared, {
        id,
        guard,
        set: [Prisma.sql`deleted_at = now()`],
        changesCatalogue: Prisma.sql`TRUE`,
        reason: 'deleted',
      });
    },
  };
}

export type ProductRepository = ReturnType<typeof createProductRepository>;

interface Column {
  name: Prisma.Sql;
  value: Prisma.Sql;
  isCategory: boolean;
  ofStock: boolean;
}

/** The columns of the fields that are not undefined. */
function columnsOf(fields: ProductChanges): Column[] {
  const names = (Object.keys(FIELD_COLUMNS) as (keyof typeof FIELD_COLUMNS)[]).filter(
    (name) => fields[name] !== undefined,
  );
  return names.map((name) => ({
    name: Prisma.raw(name),
    value: Prisma.sql`${fields[name]}::${Prisma.raw(FIELD_COLUMNS[name])}`,
    isCategory: name === 'category',
    ofStock: name === 'stock',
  }));
}

/** Another spelling of a category is no difference: the table keeps the first one. */
function differenceIn(columns: Column[]): Prisma.Sql {
  const differences = columns.map(
    ({ name, value, isCategory }) =>
      Prisma.sql`p.${name} IS DISTINCT FROM ${isCategory ? Prisma.sql`category_of(${value})` : value}`,
  );
  return differences.length === 0 ? Prisma.sql`FALSE` : Prisma.join(differences, ' OR ');
}
