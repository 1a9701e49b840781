import { createCsvReader } from './csv.reader.ts';
import { createNdjsonReader } from './ndjson.reader.ts';

/** The fields of a row, as `PATCH /api/products/:id` takes them, or the problem, with the SKU if it can be read. */
export type GivenRow = { fields: Record<string, unknown> } | { problem: string; sku?: string | undefined };

/** A row of an imported file. */
export type FileRow = {
  /** The line it begins on, counted from 1, header included. */
  line: number;
  /** Its length in the file, in bytes. */
  size: number;
} & (GivenRow | { isBlank: true });

/** Yields the rows of a file as its bytes arrive. Consume each result completely before the next call. */
export interface FileReader {
  /** @throws UnreadableFile */
  take(chunk: Buffer): Iterable<FileRow>;
  /** @throws UnreadableFile for a file without rows */
  end(): Iterable<FileRow>;
}

export const CSV = 'text/csv';
/** The type that browsers on Windows give to a CSV file. */
export const EXCEL = 'application/vnd.ms-excel';
export const NDJSON = 'application/x-ndjson';

export function createFileReader(mediaType: string): FileReader {
  return mediaType === NDJSON ? createNdjsonReader() : createCsvReader();
}
