import { createCsvReader } from './csv.reader.ts';
import { createNdjsonReader } from './ndjson.reader.ts';

/** The fields of a row, as `PATCH /api/products/:id` takes them, or why it gives none, and its SKU where that can be read. */
export type GivenRow = { fields: Record<string, unknown> } | { problem: string; sku?: string | undefined };

/** A row of an imported file. */
export type FileRow = {
  /** Where it begins, counted from 1, header included. */
  line: number;
  /** Bytes of the file that it takes. */
  size: number;
} & (GivenRow | { isBlank: true });

/** The rows of a file, as its bytes come. Each result is to be read to the last row before the next call. */
export interface FileReader {
  /** @throws UnreadableFile */
  take(chunk: Buffer): Iterable<FileRow>;
  /** @throws UnreadableFile for a file without any row */
  end(): Iterable<FileRow>;
}

export const CSV = 'text/csv';
/** What browsers on Windows say of a CSV file. */
export const EXCEL = 'application/vnd.ms-excel';
export const NDJSON = 'application/x-ndjson';

export function createFileReader(mediaType: string): FileReader {
  return mediaType === NDJSON ? createNdjsonReader() : createCsvReader();
}
