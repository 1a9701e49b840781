import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import { FIELD_COLUMNS } from './product.fields.ts';
import type { FoundProduct, Guard } from './product.guard.ts';
import type { Product } from './product.schemas.ts';

/** A product as Postgres returns it. */
export interface ProductRow extends Omit<Product, 'price_minor'> {
  price_minor: string;
}

/** The same row as JSON made by Postgres. */
export type ProductJson = Omit<Product, 'created_at' | 'updated_at'> & {
  created_at: string;
  updated_at: string;
};

/** The columns of a ProductRow in the table or subquery `p`. */
export const PRODUCT_COLUMNS = Prisma.sql`p.id, ${Prisma.raw(
  Object.keys(FIELD_COLUMNS)
    .map((name) => `p.${name}`)
    .join(),
)},
  p.owner_id, p.catalogue_version AS version, p.version AS revision, p.created_at, p.updated_at`;

export function toProduct<Row extends ProductRow>(
  row: Row,
): Omit<Row, 'price_minor'> & Pick<Product, 'price_minor'> {
  return { ...row, price_minor: Number(row.price_minor) };
}

export function fromJson(row: ProductJson): Product {
  return { ...row, created_at: new Date(row.created_at), updated_at: new Date(row.updated_at) };
}

export interface ChangeStatement {
  id: number;
  guard: Guard;
  /** Assignments to columns of `p`. */
  set: Prisma.Sql[];
  /** Whether they change a catalogue field; a condition on columns of `p`. */
  changesCatalogue?: Prisma.Sql;
  /** A further condition on columns of `p`. */
  condition?: Prisma.Sql;
  /** The reason in the ledger if the stock changes. */
  reason: string;
}

export interface Change {
  /** The product before the change; undefined if there is none. */
  found: FoundProduct | undefined;
  /** The product after the change; undefined if guard or condition did not hold and nothing was changed. */
  changed: Product | undefined;
}

/** The columns of `t` that an `If-Match` refers to. */
const KNOWN_BY = { version: Prisma.sql`t.catalogue_version`, revision: Prisma.sql`t.version` } as const;

interface ChangeRow extends ProductRow {
  found_owner_id: number;
  found_version: number;
  found_revision: number;
  found_stock: number;
  found_category: string;
}

/**
 * One statement for checks, change, new version and ledger row. `target` locks the row first, so that the checks and the
 * difference in the ledger refer to the row that is changed, whatever other transactions do.
 */
export async function changeProduct(query: Query, statement: ChangeStatement): Promise<Change> {
  const {
    id,
    guard,
    set,
    changesCatalogue = Prisma.sql`FALSE`,
    condition = Prisma.sql`TRUE`,
    reason,
  } = statement;
  const rows = await query<ChangeRow[]>`
    WITH target AS (
      SELECT id, owner_id, catalogue_version, version, stock, category FROM products
       WHERE id = ${id}::int AND deleted_at IS NULL FOR NO KEY UPDATE
    ), changed AS (
      UPDATE products p
         SET version = p.version + 1, catalogue_version = p.catalogue_version + (${changesCatalogue})::int, updated_at = now(), ${Prisma.join(set)}
        FROM target t
       WHERE p.id = t.id AND ${condition}
         AND (${guard.isAdmin}::boolean OR t.owner_id = ${guard.userId}::int)
         AND (${guard.known}::int[] IS NULL OR ${KNOWN_BY[guard.by]} = ANY (${guard.known}::int[]))
      RETURNING p.*, p.stock - t.stock AS delta
    ), ledger AS (
      INSERT INTO stock_movements (product_id, delta, reason, actor, stock_after)
      SELECT id, delta, ${reason}, ${`user:${guard.userId}`}, stock FROM changed WHERE delta <> 0
    )
    SELECT t.owner_id AS found_owner_id, t.catalogue_version AS found_version, t.version AS found_revision, t.stock AS found_stock,
           t.category AS found_category, ${PRODUCT_COLUMNS}
      FROM target t LEFT JOIN changed p ON p.id = t.id`;
  const [row] = rows;
  if (row === undefined) return { found: undefined, changed: undefined };
  const { found_owner_id, found_version, found_revision, found_stock, found_category, ...product } = row;
  return {
    found: {
      owner_id: found_owner_id,
      version: found_version,
      revision: found_revision,
      stock: found_stock,
      category: found_category,
    },
    changed: product.id === null ? undefined : toProduct(product),
  };
}
