import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import { type ImportedFields, isRounded, type RowOutcome } from './import.rows.ts';

/** The importing user and the options. Admins may change every product, others only their own. */
export interface Importer {
  userId: number;
  isAdmin: boolean;
  /** Whether the stock of existing products is set instead of kept. */
  setsStock: boolean;
}

/** The outcome of the row at the same index. */
export interface WrittenRow {
  outcome: RowOutcome;
  /** The row's stock differs from the product's, which was kept. */
  kept_stock: boolean;
  /** The product that was created or changed; null if nothing changed. */
  product_id: number | null;
  /** The product's category before and after; null if nothing changed. */
  categories: string[] | null;
}

const ANALYZE = 'analyze_products';

/** Jobs that imports cause. */
export const importStatements = { [ANALYZE]: 'SELECT analyze_products()' };

export function createImportRepository(query: Query) {
  return {
    /** Has the planner's statistics updated soon, once for all imports that ask before it begins. */
    async refreshStatistics(): Promise<void> {
      await query`SELECT jobs.add(${ANALYZE}, '{}', ${ANALYZE})::text`;
    },

    /**
     * Creates and updates the products of these rows in one statement, all or nothing. A row whose SKU another transaction
     * is creating at the same time comes back as `retry`. Existing products are locked in id order, as reservations do,
     * then categories are registered in key order, then new products are inserted in SKU order. So concurrent imports
     * cannot deadlock, and the new ids still follow the file. The parts are joined by IN and NOT IN, which Postgres hashes;
     * it cannot estimate their sizes and would otherwise use nested loops. Index: products_sku_key.
     * @param rows each SKU at most once
     */
    async upsert(rows: ImportedFields[], importer: Importer): Promise<WrittenRow[]> {
      const { userId } = importer;
      return query<WrittenRow[]>`
        WITH ${incoming(rows)}, target AS (
          ${found(importer)} ORDER BY p.id FOR NO KEY UPDATE OF p
        ), numbered AS MATERIALIZED (
          SELECT f.*, nextval(pg_get_serial_sequence('products', 'id'))::int AS id
            FROM (SELECT * FROM incoming WHERE n NOT IN (SELECT n FROM target) AND refusal IS NULL
                   ORDER BY n OFFSET 0) AS f
        ), registered AS MATERIALIZED (
          SELECT register_category(category, owner_id) FROM (${categories(userId)}) AS c
        ), changed AS (
          UPDATE products p
             SET name = t.name, price_minor = t.price_minor, stock = t.stock, category = t.category,
                 description = t.description, image_url = t.image_url, version = p.version + 1,
                 catalogue_version = p.catalogue_version + (
                   (p.name, p.price_minor, p.category, p.description, p.image_url)
                   IS DISTINCT FROM (t.name, t.price_minor, t.category, t.description, t.image_url))::int,
                 updated_at = now()
            FROM target t
           WHERE p.id = t.id AND t.is_allowed AND t.is_changed AND ${AFTER_REGISTERING}
          RETURNING p.id, p.stock, p.stock - t.old_stock AS delta
        ), made AS (
          INSERT INTO products (id, name, description, price_minor, stock, category, sku, image_url, owner_id)
          SELECT id, name, COALESCE(description, ''), price_minor, COALESCE(stock, 0), COALESCE(category, 'General'), sku,
                 image_url, ${userId}::int
            FROM numbered WHERE ${AFTER_REGISTERING} ORDER BY sku, id
          ON CONFLICT (sku) WHERE deleted_at IS NULL DO NOTHING
          RETURNING id, stock
        ), ledger AS (
          INSERT INTO stock_movements (product_id, delta, reason, actor, stock_after)
          SELECT id, stock, 'initial', ${`user:${userId}`}, stock FROM made WHERE stock > 0
           UNION ALL
          SELECT id, delta, 'import', ${`user:${userId}`}, stock FROM changed WHERE delta <> 0
        )
        SELECT n, ${OUTCOME} AS outcome, keeps_stock AND is_allowed AS kept_stock,
               CASE WHEN is_allowed AND is_changed THEN id END AS product_id,
               CASE WHEN is_allowed AND is_changed THEN ARRAY[old_category, category] END AS categories
          FROM target
         UNION ALL
        SELECT n, CASE WHEN id IN (SELECT id FROM made) THEN 'created' ELSE 'retry' END, FALSE,
               CASE WHEN id IN (SELECT id FROM made) THEN id END,
               CASE WHEN id IN (SELECT id FROM made) THEN ARRAY[COALESCE(category, 'General')] END
          FROM numbered
         UNION ALL
        SELECT n, refusal, FALSE, NULL, NULL
          FROM incoming WHERE n NOT IN (SELECT n FROM target) AND refusal IS NOT NULL
         ORDER BY n`;
    },

    /** The result that `upsert` would return now; changes nothing. Index: products_sku_key. */
    async preview(rows: ImportedFields[], importer: Importer): Promise<WrittenRow[]> {
      return query<WrittenRow[]>`
        WITH ${incoming(rows)}, target AS (${found(importer)})
        SELECT n, ${OUTCOME} AS outcome, keeps_stock AND is_allowed AS kept_stock, NULL::int AS product_id,
               NULL::text[] AS categories
          FROM target
         UNION ALL
        SELECT n, COALESCE(refusal, 'created'), FALSE, NULL, NULL
          FROM incoming WHERE n NOT IN (SELECT n FROM target)
         ORDER BY n`;
    },
  };
}

export type ImportRepository = ReturnType<typeof createImportRepository>;

/** `refusal` is the reason why a row cannot create a product; it does not matter if the product exists. */
const incoming = (rows: ImportedFields[]) => Prisma.sql`
  incoming AS MATERIALIZED (
    SELECT i.*, CASE WHEN is_rounded THEN 'rounded' WHEN name IS NULL OR price_minor IS NULL THEN 'incomplete' END AS refusal
      FROM json_to_recordset(${toJson(rows)}::json) AS i (
        n INT, sku TEXT, name TEXT, price_minor BIGINT, stock INT, category TEXT, is_rounded BOOLEAN,
        description TEXT, keeps_description BOOLEAN, image_url TEXT, keeps_image_url BOOLEAN)
  )`;

/** The products of the incoming rows, before and after. */
const found = ({ userId, isAdmin, setsStock }: Importer) => Prisma.sql`
  SELECT p.id, n, new.*, p.owner_id, p.stock AS old_stock, p.category AS old_category,
         ${isAdmin}::boolean OR p.owner_id = ${userId}::int AS is_allowed,
         NOT ${setsStock}::boolean AND i.stock IS NOT NULL AND i.stock <> p.stock AS keeps_stock,
         (p.name, p.price_minor, p.stock, p.category, p.description, p.image_url)
           IS DISTINCT FROM (new.name, new.price_minor, new.stock, new.category, new.description, new.image_url)
           AS is_changed
    FROM incoming i JOIN products p ON p.sku = i.sku AND p.deleted_at IS NULL,
         LATERAL (SELECT COALESCE(i.name, p.name) AS name, COALESCE(i.price_minor, p.price_minor) AS price_minor,
                         CASE WHEN ${setsStock}::boolean THEN COALESCE(i.stock, p.stock) ELSE p.stock END AS stock,
                         COALESCE(category_of(i.category), p.category) AS category,
                         CASE WHEN i.keeps_description THEN p.description ELSE i.description END AS description,
                         CASE WHEN i.keeps_image_url THEN p.image_url ELSE i.image_url END AS image_url) AS new`;

/** The categories that will be written, each once for each owner, as it is first spelled in the file; in key order. */
const categories = (userId: number) => Prisma.sql`
  SELECT category, owner_id FROM (
    SELECT DISTINCT ON (category_key(category), owner_id) category, owner_id, n FROM (
      SELECT category, owner_id, n FROM target WHERE is_allowed AND is_changed
       UNION ALL
      SELECT COALESCE(category, 'General'), ${userId}::int, n FROM numbered) AS written
     ORDER BY category_key(category), owner_id, n) AS distinct_ones
   ORDER BY category_key(category), n OFFSET 0`;

/** Holds always, but has to read `registered` to the end before the first row can pass. */
const AFTER_REGISTERING = Prisma.sql`(SELECT count(*) FROM registered) >= 0`;

const OUTCOME = Prisma.sql`
  CASE WHEN NOT is_allowed THEN 'foreign' WHEN is_changed THEN 'updated' ELSE 'unchanged' END`;

function toJson(rows: ImportedFields[]): string {
  return JSON.stringify(
    rows.map((row, n) => ({
      n,
      ...row,
      is_rounded: isRounded(row),
      keeps_description: row.description === undefined,
      keeps_image_url: row.image_url === undefined,
    })),
  );
}
