import { createCsvReader } from './csv.reader.ts';
import type { FileReader } from './file.rows.ts';
import { createNdjsonReader } from './ndjson.reader.ts';

export const CSV = 'text/csv';
/** The type that browsers on Windows give to a CSV file. */
export const EXCEL = 'application/vnd.ms-excel';
export const NDJSON = 'application/x-ndjson';

export function createFileReader(mediaType: string): FileReader {
  return mediaType === NDJSON ? createNdjsonReader() : createCsvReader();
}
