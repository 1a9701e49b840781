import type { ProductSchemas } from '../products/product.schemas.ts';
import type { GivenRow } from './import.reader.ts';
import { type ImportedFields, missingIn, refusalOf } from './import.rows.ts';
import type { ImportQuery } from './import.schemas.ts';
import { createSkuSet } from './sku.set.ts';

/** What can be told of a row without the catalogue. */
export type CheckedFields = { fields: ImportedFields } | { problem: string };

/** Checks the rows of one file. A SKU counts as had from the first row with it, also where that was refused. */
export function createRowCheck({ importRow }: ProductSchemas, { unknown }: Pick<ImportQuery, 'unknown'>) {
  const skus = createSkuSet();
  const { shape } = importRow.def.in;
  const known = Object.keys(shape);

  const checkFields = (given: Record<string, unknown>): CheckedFields => {
    const checked = importRow.safeParse(unknown === 'ignore' ? only(known, given) : given);
    // Without a SKU it can only be a new product.
    const missing = given['sku'] == null ? missingIn(given) : undefined;
    if (!checked.success) {
      const refusal = refusalOf(checked.error);
      return { problem: missing === undefined ? refusal : `${missing}; ${refusal}` };
    }
    return missing === undefined ? { fields: checked.data } : { problem: missing };
  };
  const hasHad = (given: unknown): boolean => {
    const { data: sku } = shape.sku.safeParse(given);
    return sku != null && !skus.add(sku);
  };

  return (row: GivenRow): CheckedFields => {
    const checked = 'problem' in row ? row : checkFields(row.fields);
    const isAgain = hasHad('problem' in row ? row.sku : row.fields['sku']);
    return isAgain && 'fields' in checked ? { problem: 'The file has had this SKU before' } : checked;
  };
}

function only(names: string[], fields: Record<string, unknown>): Record<string, unknown> {
  const kept = names.filter((name) => Object.hasOwn(fields, name));
  return Object.fromEntries(kept.map((name) => [name, fields[name]]));
}
