import type { ProductSchemas } from '../products/product.schemas.ts';
import { type ImportedFields, missingIn, refusalOf } from './import.rows.ts';
import type { ImportQuery } from './import.schemas.ts';
import { createSkuSet } from './sku.set.ts';

/** What can be told of a row without the catalogue. */
export type CheckedFields = { fields: ImportedFields } | { problem: string };

/** Checks the rows of one file. A SKU counts as had from the first good row with it. */
export function createRowCheck({ importRow }: ProductSchemas, { unknown }: Pick<ImportQuery, 'unknown'>) {
  const skus = createSkuSet();
  const known = Object.keys(importRow.def.in.shape);

  return (given: Record<string, unknown>): CheckedFields => {
    const checked = importRow.safeParse(unknown === 'ignore' ? only(known, given) : given);
    // Without a SKU it can only be a new product.
    const missing = given['sku'] == null ? missingIn(given) : undefined;
    if (!checked.success) {
      const refusal = refusalOf(checked.error);
      return { problem: missing === undefined ? refusal : `${missing}; ${refusal}` };
    }
    if (missing !== undefined) return { problem: missing };
    const fields = checked.data;
    const { sku } = fields;
    if (sku == null) return { fields };
    return skus.add(sku) ? { fields } : { problem: 'The file has had this SKU before' };
  };
}

function only(names: string[], fields: Record<string, unknown>): Record<string, unknown> {
  const kept = names.filter((name) => Object.hasOwn(fields, name));
  return Object.fromEntries(kept.map((name) => [name, fields[name]]));
}
