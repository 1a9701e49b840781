import { isAbsent } from '@shop/service-kit/http/fields';
import type { z } from 'zod';
import type { ProductFields } from '../products/product.schemas.ts';

/** A row that passed the checks. Fields that it omits keep their values, or get their defaults in a new product. */
export type ImportedFields = { [Field in keyof ProductFields]?: ProductFields[Field] | undefined };

/**
 * The outcome of a row. `foreign`: another seller uses the SKU. `retry`: another transaction created the product meanwhile.
 * `incomplete`: no product has the SKU, and required fields of a new one are missing. `rounded`: no product has the SKU,
 * which a spreadsheet has rounded.
 */
export type RowOutcome = 'created' | 'updated' | 'unchanged' | 'foreign' | 'retry' | 'incomplete' | 'rounded';

export interface BatchRow {
  line: number;
  fields: ImportedFields;
}

/** Rows per statement. It takes some ten milliseconds, during which the changed products are locked. */
const BATCH_ROWS = 500;
/** Their bytes in the file, because a text of a row may keep the whole row in memory. */
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
    take(): BatchRow[] {
      const taken = rows;
      rows = [];
      bytes = 0;
      return taken;
    },
  };
}

/** At most this many refused rows are listed (docs/http-api.md); all are counted. */
const MAX_ERRORS = 100;
const MAX_ERROR_BYTES = 90_000;
const MAX_MESSAGE = 300;

/** Counts the outcomes of an import. */
export function createTally() {
  const counts = { created: 0, updated: 0, unchanged: 0, failed: 0, stock_kept: 0 };
  const errors: { line: number; message: string }[] = [];
  let bytes = 0;
  let isFull = false;
  let lastLine = 0;
  return {
    counts,
    /** All rows up to this line are counted. */
    settledTo(line: number): void {
      lastLine = line;
    },
    lastLine: () => lastLine,
    fail(line: number, message: string): void {
      counts.failed += 1;
      if (isFull) return;
      // A copy, because a substring would keep its part of the file in memory.
      const text = Buffer.from(shortened(message)).toString();
      bytes += JSON.stringify(text).length * 3;
      isFull = bytes > MAX_ERROR_BYTES || errors.length === MAX_ERRORS;
      if (!isFull) errors.push({ line, message: text });
    },
    succeed(outcome: 'created' | 'updated' | 'unchanged', keptStock: boolean): void {
      counts[outcome] += 1;
      if (keptStock) counts.stock_kept += 1;
    },
    response: () => ({
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

/** How many unknown fields are named; the others are only counted. */
const MAX_NAMED = 5;
const MAX_NAME = 40;

/** What a schema refuses in a row, as one sentence. */
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

/** `8.80123E+12`: what a spreadsheet makes of a number of thirteen digits in a narrow column. */
const ROUNDED = /^\d([.,]\d+)?E\+\d{1,3}$/i;

export const isRounded = ({ sku }: ImportedFields): boolean => typeof sku === 'string' && ROUNDED.test(sku);

/** The required fields of a new product that the row omits; undefined if there are none. */
export function missingIn(row: Record<string, unknown>): string | undefined {
  const missing = ['name', 'price'].filter((name) => isAbsent(row[name]));
  if (missing.length === 0) return undefined;
  return missing.map((name) => `${name === 'name' ? 'Name' : 'Price'} is required`).join('; ');
}
