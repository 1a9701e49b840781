import type { Query } from '@shop/service-kit/postgres/query';
import type { ImportedFields, RowOutcome } from './import.rows.ts';

/** Who imports. Admins change every product, others their own. */
export interface Importer {
  userId: number;
  isAdmin: boolean;
}

/** What became of the row at the same index. */
export interface WrittenRow {
  outcome: RowOutcome;
  /** The product that was made or changed; null where nothing had to be. */
  product_id: number | null;
  /** The category that the product had, and the one that it has now; null where nothing changed. */
  categories: string[] | null;
}

const UNCHANGED = { product_id: null, categories: null };

export function createImportRepository(query: Query) {
  return {
    /**
     * Creates and updates the products of these rows in one statement: all or nothing. Rows of a SKU that somebody else
     * creates at this moment come back as `retry`. The products that are there are locked in id order, as reservations do it,
     * and only then the new ones are put in, in the order of their SKUs: neither can deadlock, and yet the new ids
     * follow the file. The parts meet by IN and NOT IN, which Postgres hashes: it cannot know how many rows they have, and would
     * compare each with each. Index: products_sku_key.
     * @param rows with each SKU once
     */
    async upsert(rows: ImportedFields[], importer: Importer): Promise<WrittenRow[]> {
      const { userId, isAdmin } = importer;
      return query<WrittenRow[]>`
        WITH incoming AS MATERIALIZED (
          SELECT * FROM json_to_recordset(${toJson(rows)}::json) AS i (
            n INT, sku TEXT, name TEXT, price_minor BIGINT, stock INT, category TEXT,
            description TEXT, keeps_description BOOLEAN, image_url TEXT, keeps_image_url BOOLEAN)
        ), target AS (
          SELECT p.id, i.n, i.name, i.price_minor, p.stock AS old_stock, p.category AS old_category,
                 COALESCE(i.stock, p.stock) AS stock, COALESCE(i.category, p.category) AS category,
                 CASE WHEN i.keeps_description THEN p.description ELSE i.description END AS description,
                 CASE WHEN i.keeps_image_url THEN p.image_url ELSE i.image_url END AS image_url,
                 ${isAdmin}::boolean OR p.owner_id = ${userId}::int AS is_allowed
            FROM incoming i JOIN products p ON p.sku = i.sku AND p.deleted_at IS NULL
           ORDER BY p.id FOR NO KEY UPDATE OF p
        ), changed AS (
          UPDATE products p
             SET name = t.name, price_minor = t.price_minor, stock = t.stock, category = t.category,
                 description = t.description, image_url = t.image_url, version = p.version + 1,
                 catalogue_version = p.catalogue_version + (
                   (p.name, p.price_minor, p.category, p.description, p.image_url)
                   IS DISTINCT FROM (t.name, t.price_minor, t.category, t.description, t.image_url))::int,
                 updated_at = now()
            FROM target t
           WHERE p.id = t.id AND t.is_allowed
             AND (p.name, p.price_minor, p.stock, p.category, p.description, p.image_url)
                 IS DISTINCT FROM (t.name, t.price_minor, t.stock, t.category, t.description, t.image_url)
          RETURNING p.id, p.stock, p.stock - t.old_stock AS delta
        ), numbered AS MATERIALIZED (
          SELECT f.*, nextval(pg_get_serial_sequence('products', 'id'))::int AS id
            FROM (SELECT * FROM incoming WHERE n NOT IN (SELECT n FROM target) ORDER BY n OFFSET 0) AS f
        ), made AS (
          INSERT INTO products (id, name, description, price_minor, stock, category, sku, image_url, owner_id)
          SELECT id, name, description, price_minor, COALESCE(stock, 0), COALESCE(category, 'General'), sku, image_url,
                 ${userId}::int
            FROM numbered ORDER BY sku, id
          ON CONFLICT (sku) WHERE deleted_at IS NULL DO NOTHING
          RETURNING id, stock
        ), ledger AS (
          INSERT INTO stock_movements (product_id, delta, reason, actor, stock_after)
          SELECT id, stock, 'initial', ${`user:${userId}`}, stock FROM made WHERE stock > 0
           UNION ALL
          SELECT id, delta, 'import', ${`user:${userId}`}, stock FROM changed WHERE delta <> 0
        )
        SELECT n, CASE WHEN is_allowed THEN 'updated' ELSE 'foreign' END AS outcome,
               CASE WHEN id IN (SELECT id FROM changed) THEN id END AS product_id,
               CASE WHEN id IN (SELECT id FROM changed) THEN ARRAY[old_category, category] END AS categories
          FROM target
         UNION ALL
        SELECT n, CASE WHEN id IN (SELECT id FROM made) THEN 'created' ELSE 'retry' END,
               CASE WHEN id IN (SELECT id FROM made) THEN id END,
               CASE WHEN id IN (SELECT id FROM made) THEN ARRAY[COALESCE(category, 'General')] END
          FROM numbered
         ORDER BY n`;
    },

    /** What `upsert` would answer, from what is there now. Index: products_sku_key. */
    async preview(rows: ImportedFields[], { userId, isAdmin }: Importer): Promise<WrittenRow[]> {
      const found = await query<{ sku: string; owner_id: number }[]>`
        SELECT sku, owner_id FROM products WHERE sku = ANY (${skusOf(rows)}::text[]) AND deleted_at IS NULL`;
      const owners = new Map(found.map(({ sku, owner_id }) => [sku, owner_id]));
      return rows.map(({ sku }) => {
        const owner = owners.get(sku ?? '');
        if (owner === undefined) return { outcome: 'created', ...UNCHANGED };
        return { outcome: isAdmin || owner === userId ? 'updated' : 'foreign', ...UNCHANGED };
      });
    },
  };
}

export type ImportRepository = ReturnType<typeof createImportRepository>;

const skusOf = (rows: ImportedFields[]) => rows.flatMap(({ sku }) => sku ?? []);

function toJson(rows: ImportedFields[]): string {
  return JSON.stringify(
    rows.map((row, n) => ({
      n,
      ...row,
      keeps_description: row.description === undefined,
      keeps_image_url: row.image_url === undefined,
    })),
  );
}
