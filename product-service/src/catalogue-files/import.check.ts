import { isAbsent } from '@shop/service-kit/http/fields';
import type { ProductSchemas } from '../products/product.schemas.ts';
import type { GivenRow } from './file.rows.ts';
import { type ImportedFields, missingIn, refusalOf } from './import.rows.ts';
import type { ImportQuery } from './import.schemas.ts';
import { createSkuSet } from './sku.set.ts';

/** The result of the checks that need only the row, not the catalogue. */
export type CheckedFields = { fields: ImportedFields } | { problem: string };

/** Checks the rows of one file. A SKU counts as used from its first row on, even if that row was refused. */
export function createRowCheck({ importRow }: ProductSchemas, { unknown }: Pick<ImportQuery, 'unknown'>) {
  const skus = createSkuSet();
  const { shape } = importRow.def.in;
  const known = Object.keys(shape);

  const checkFields = (given: Record<string, unknown>): CheckedFields => {
    const checked = importRow.safeParse(unknown === 'ignore' ? only(known, given) : given);
    // Without a SKU it must be a new product.
    const missing = isAbsent(given['sku']) ? missingIn(given) : undefined;
    if (!checked.success) {
      const refusal = refusalOf(checked.error);
      return { problem: missing === undefined ? refusal : `${missing}; ${refusal}` };
    }
    return missing === undefined ? { fields: checked.data } : { problem: missing };
  };
  const isKnownSku = (given: unknown): boolean => {
    const { data: sku } = shape.sku.safeParse(given);
    return sku != null && !skus.add(sku);
  };

  return (row: GivenRow): CheckedFields => {
    const checked = 'problem' in row ? row : checkFields(row.fields);
    const isRepeated = isKnownSku('problem' in row ? row.sku : row.fields['sku']);
    return isRepeated && 'fields' in checked ? { problem: 'This SKU appears earlier in the file' } : checked;
  };
}

function only(names: string[], fields: Record<string, unknown>): Record<string, unknown> {
  const kept = names.filter((name) => Object.hasOwn(fields, name));
  return Object.fromEntries(kept.map((name) => [name, fields[name]]));
}
