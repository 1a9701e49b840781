import type { ProductFields } from '../products/product.schemas.ts';

/** A row that passed the checks. What it leaves out stays as it is, or gets its default in a new product. */
export type ImportedFields = Pick<ProductFields, 'name' | 'price_minor'> & {
  [Field in 'description' | 'stock' | 'category' | 'sku' | 'image_url']?: ProductFields[Field] | undefined;
};

/** `foreign`: the SKU is that of another seller's product. `retry`: it was created by somebody else meanwhile. */
export type RowOutcome = 'created' | 'updated' | 'foreign' | 'retry';

/** A product of the file, and the lines that name it. */
export interface BatchRow {
  lines: number[];
  fields: ImportedFields;
}

/** Lines of one statement: some ten milliseconds, for which the products it changes are locked. */
export const BATCH_SIZE = 500;

/** Rows that are written together. Of rows with the same SKU the later one goes over the earlier, as between batches. */
export function createBatch() {
  const rows = new Map<string | number, BatchRow>();
  let lines = 0;
  return {
    add(line: number, fields: ImportedFields): void {
      const row = rows.get(fields.sku ?? line) ?? { lines: [], fields };
      row.lines.push(line);
      row.fields = { ...row.fields, ...fields };
      rows.set(fields.sku ?? line, row);
      lines += 1;
    },
    isFull: () => lines >= BATCH_SIZE,
    /** The rows, which the batch forgets. */
    take(): BatchRow[] {
      const taken = [...rows.values()];
      rows.clear();
      lines = 0;
      return taken;
    },
  };
}

/** At most this many refused rows are told; all are counted. */
const MAX_ERRORS = 1000;

/** What an import answers, as it grows. */
export function createTally() {
  const counts = { created: 0, updated: 0, failed: 0 };
  const errors: { line: number; message: string }[] = [];
  return {
    counts,
    fail(line: number, message: string): void {
      counts.failed += 1;
      if (errors.length < MAX_ERRORS) errors.push({ line, message });
    },
    /** Of lines that name one product the first may create it; the others find it there. */
    succeed({ length }: number[], isNew: boolean): void {
      counts.created += isNew ? 1 : 0;
      counts.updated += isNew ? length - 1 : length;
    },
    answer: () => ({
      ...counts,
      errors: errors.toSorted((a, b) => a.line - b.line),
      errors_truncated: counts.failed > errors.length,
    }),
  };
}

export type Tally = ReturnType<typeof createTally>;
