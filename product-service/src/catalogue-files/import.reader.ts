import { createCsvReader } from './csv.reader.ts';
import { createNdjsonReader } from './ndjson.reader.ts';

/** A row of an imported file: the fields it gives, as `POST /api/products` takes them, or why it gives none. */
export type FileRow = { line: number } & ({ fields: Record<string, unknown> } | { problem: string });

/** The rows of a file, as its bytes come. Each answer is to be read to the last row before the next call. */
export interface FileReader {
  /** @throws UnreadableFile */
  take(chunk: Buffer): Iterable<FileRow>;
  /** @throws UnreadableFile for a file without any row */
  end(): Iterable<FileRow>;
}

export const CSV = 'text/csv';
export const NDJSON = 'application/x-ndjson';

export function createFileReader(mediaType: string): FileReader {
  return mediaType === CSV ? createCsvReader() : createNdjsonReader();
}
