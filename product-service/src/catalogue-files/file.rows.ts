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
