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
}

export function createImportRepository(query: Query) {
  return {
    /**
     * Creates and updates the products of these rows in one statement: all or nothing. Rows of a SKU that somebody else
     * creates at this moment come back as `retry`. The products that are there are locked in id order, as reservations do it,
     * and only then the new ones are put in, in the order of their SKUs: neither can deadlock, and yet the new ids
     * follow the file. Index: products_sku_key.
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
          SELECT * FROM products WHERE sku = ANY (${skusOf(rows)}::text[]) AND deleted_at IS NULL
           ORDER BY id FOR NO KEY UPDATE
        ), wanted AS (
          SELECT t.id, t.stock AS old_stock, i.name, i.price_minor,
                 COALESCE(i.stock, t.stock) AS stock, COALESCE(i.category, t.category) AS category,
                 CASE WHEN i.keeps_description THEN t.description ELSE i.description END AS description,
                 CASE WHEN i.keeps_image_url THEN t.image_url ELSE i.image_url END AS image_url
            FROM target t JOIN incoming i ON i.sku = t.sku
           WHERE ${isAdmin}::boolean OR t.owner_id = ${userId}::int
        ), changed AS (
          UPDATE products p
             SET name = w.name, price_minor = w.price_minor, stock = w.stock, category = w.category,
                 description = w.description, image_url = w.image_url, version = p.version + 1, updated_at = now()
            FROM wanted w
           WHERE p.id = w.id
             AND (p.name, p.price_minor, p.stock, p.category, p.description, p.image_url)
                 IS DISTINCT FROM (w.name, w.price_minor, w.stock, w.category, w.description, w.image_url)
          RETURNING p.id, p.stock, p.stock - w.old_stock AS delta
        ), numbered AS MATERIALIZED (
          SELECT f.*, nextval(pg_get_serial_sequence('products', 'id'))::int AS id
            FROM (SELECT * FROM incoming i WHERE NOT EXISTS (SELECT 1 FROM target t WHERE t.sku = i.sku)
                   ORDER BY n OFFSET 0) AS f
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
        SELECT CASE WHEN m.id IS NOT NULL THEN 'created' WHEN w.id IS NOT NULL THEN 'updated'
                    WHEN t.id IS NOT NULL THEN 'foreign' ELSE 'retry' END AS outcome,
               COALESCE(m.id, c.id) AS product_id
          FROM incoming i
          LEFT JOIN target t ON t.sku = i.sku
          LEFT JOIN wanted w ON w.id = t.id
          LEFT JOIN changed c ON c.id = t.id
          LEFT JOIN numbered f ON f.n = i.n
          LEFT JOIN made m ON m.id = f.id
         ORDER BY i.n`;
    },

    /** What `upsert` would answer, from what is there now. Index: products_sku_key. */
    async preview(rows: ImportedFields[], { userId, isAdmin }: Importer): Promise<WrittenRow[]> {
      const found = await query<{ sku: string; owner_id: number }[]>`
        SELECT sku, owner_id FROM products WHERE sku = ANY (${skusOf(rows)}::text[]) AND deleted_at IS NULL`;
      const owners = new Map(found.map(({ sku, owner_id }) => [sku, owner_id]));
      return rows.map(({ sku }) => {
        const owner = owners.get(sku ?? '');
        if (owner === undefined) return { outcome: 'created', product_id: null };
        return { outcome: isAdmin || owner === userId ? 'updated' : 'foreign', product_id: null };
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
