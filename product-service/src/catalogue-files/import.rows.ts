import type { z } from 'zod';
import type { ProductFields } from '../products/product.schemas.ts';

/** A row that passed the checks. What it leaves out stays as it is, or gets its default in a new product. */
export type ImportedFields = { [Field in keyof ProductFields]?: ProductFields[Field] | undefined };

/**
 * What became of a row. `foreign`: the SKU is that of another seller's product. `retry`: it was created by somebody else
 * meanwhile. `incomplete`: no product has the SKU, and a new one needs more. `rounded`: no product has the SKU, which a
 * spreadsheet has rounded.
 */
export type RowOutcome = 'created' | 'updated' | 'unchanged' | 'foreign' | 'retry' | 'incomplete' | 'rounded';

export interface BatchRow {
  line: number;
  fields: ImportedFields;
}

/** Rows of one statement: some ten milliseconds, for which the products it changes are locked. */
const BATCH_ROWS = 500;
/** Bytes of the file that they take: a text of a row may keep all of the row in memory. */
const BATCH_BYTES = 1_000_000;

/** Rows that are written together. */
export function createBatch() {
  let rows: BatchRow[] = [];
  let bytes = 0;
  return {
    add(row: BatchRow, size: number): void {
      rows.push(row);
      bytes += size;
    },
    isEmpty: () => rows.length === 0,
    isFull: () => rows.length >= BATCH_ROWS || bytes >= BATCH_BYTES,
    /** The rows, which the batch forgets. */
    take(): BatchRow[] {
      const taken = rows;
      rows = [];
      bytes = 0;
      return taken;
    },
  };
}

/** At most these refused rows are told (the HTTP contract); all are counted. */
const MAX_ERRORS = 100;
const MAX_ERROR_BYTES = 90_000;
const MAX_MESSAGE = 300;

/** What an import answers, as it grows. */
export function createTally() {
  const counts = { created: 0, updated: 0, unchanged: 0, failed: 0, stock_kept: 0 };
  const errors: { line: number; message: string }[] = [];
  let bytes = 0;
  let isFull = false;
  let lastLine = 0;
  return {
    counts,
    /** Every row up to this line is counted. */
    settledTo(line: number): void {
      lastLine = line;
    },
    lastLine: () => lastLine,
    fail(line: number, message: string): void {
      counts.failed += 1;
      if (isFull) return;
      // A copy: a part of a text would keep the portion of the file that it is of.
      const told = Buffer.from(shortened(message)).toString();
      bytes += JSON.stringify(told).length * 3;
      isFull = bytes > MAX_ERROR_BYTES || errors.length === MAX_ERRORS;
      if (!isFull) errors.push({ line, message: told });
    },
    succeed(outcome: 'created' | 'updated' | 'unchanged', keptStock: boolean): void {
      counts[outcome] += 1;
      if (keptStock) counts.stock_kept += 1;
    },
    answer: () => ({
      ...counts,
      errors: errors.toSorted((a, b) => a.line - b.line),
      errors_truncated: counts.failed > errors.length,
    }),
  };
}

export type Tally = ReturnType<typeof createTally>;

function shortened(text: string): string {
  const characters = [...text.slice(0, 2 * MAX_MESSAGE)];
  return characters.length <= MAX_MESSAGE ? text : `${characters.slice(0, MAX_MESSAGE - 1).join('')}…`;
}

/** Unknown fields that are named; the rest are counted. */
const MAX_NAMED = 5;
const MAX_NAME = 40;

/** What a schema refuses in a row, in one sentence. */
export function refusalOf({ issues }: z.ZodError): string {
  const sentences = issues.map((issue) =>
    issue.code === 'unrecognized_keys' ? unknownFields(issue.keys) : issue.message,
  );
  return sentences.join('; ');
}

function unknownFields(keys: string[]): string {
  const names = keys.slice(0, MAX_NAMED).map((key) => key.slice(0, MAX_NAME));
  const more = keys.length - names.length;
  return `Unknown field: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** `8.80123E+12`: what is left of a number of thirteen digits in a spreadsheet's narrow column. */
const ROUNDED = /^\d([.,]\d+)?E\+\d{1,3}$/i;

export const isRounded = ({ sku }: ImportedFields): boolean => typeof sku === 'string' && ROUNDED.test(sku);

/** What a new product needs and a row leaves out; undefined when that is nothing. */
export function missingIn(row: Record<string, unknown>): string | undefined {
  const missing = ['name', 'price'].filter((name) => row[name] === undefined);
  if (missing.length === 0) return undefined;
  return missing.map((name) => `${name === 'name' ? 'Name' : 'Price'} is required`).join('; ');
}
