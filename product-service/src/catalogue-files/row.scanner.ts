import { isUtf8 } from 'node:buffer';

/** The content of a row, or why it cannot be read. */
export type Scanned<Row> = { row: Row } | { problem: string };

/** A row, the line of the file on which it begins, counted from 1, and its bytes. */
export type Located<Row> = Scanned<Row> & { line: number; size: number };

export interface ScannedAt<Row> {
  scanned: Scanned<Row>;
  /** The position where the next row begins. */
  end: number;
  /** How many lines of the file the row spans. */
  lines: number;
}

/**
 * Reads the row that begins at `start`; undefined if it ends after `text` and more may arrive.
 * @param text one character per byte
 * @param isWhole whether nothing follows `text`
 */
export type Scan<Row> = (text: string, start: number, isWhole: boolean) => ScannedAt<Row> | undefined;

/** The longest row. A longer one is no product, but, for example, the rest of a file after a quote that is never closed. */
const MAX_ROW = 100_000;
/** Chunks are joined up to this size, so that a client's small pieces are not scanned again and again. */
const PORTION = 32_768;
/** The bytes of the byte order mark. */
const BOM = '\xef\xbb\xbf';

/**
 * Splits the bytes of a file into rows, with memory for one row and one portion. All separators are ASCII, so the bytes
 * are scanned undecoded and each row is decoded on its own: an invalid byte spoils only its row.
 */
export function createScanner<Row>(scan: Scan<Row>) {
  let text = '';
  let waiting: Buffer[] = [];
  let line = 1;
  let isAtStart = true;
  let isInLongRow = false;

  function* scanAll(isWhole: boolean): Generator<Located<Row>> {
    joinWaiting();
    let start = isInLongRow ? skipLongRow() : 0;
    while (start < text.length) {
      const found = scan(text, start, isWhole);
      const isLong = (found?.end ?? text.length) - start > MAX_ROW;
      if (found === undefined && !isLong) break;
      const { scanned, end, lines } = found === undefined || isLong ? giveUp(start, isWhole) : found;
      yield { line, size: end - start, ...scanned };
      line += lines;
      start = end;
    }
    text = text.slice(start);
  }

  const joinWaiting = () => {
    text += Buffer.concat(waiting).toString('latin1');
    waiting = [];
    if (isAtStart && text.startsWith(BOM)) text = text.slice(BOM.length);
    isAtStart = false;
  };
  const giveUp = (start: number, isWhole: boolean): ScannedAt<Row> => {
    const problem = 'The row is longer than 100 kB: perhaps a quote is not closed';
    const end = endOfLine(text, start, isWhole);
    isInLongRow = end === undefined;
    return { scanned: { problem }, end: end ?? text.length, lines: 1 };
  };
  const skipLongRow = (): number => {
    const end = endOfLine(text, 0, false);
    isInLongRow = end === undefined;
    return end ?? text.length;
  };

  return {
    /** The rows that have arrived completely. Consume all of them before the next call. */
    take(chunk: Buffer): Iterable<Located<Row>> {
      waiting.push(chunk);
      const length = waiting.reduce((sum, part) => sum + part.length, 0);
      return length < PORTION ? [] : scanAll(false);
    },
    /** The remaining rows at the end of the file. */
    end: (): Iterable<Located<Row>> => scanAll(true),
  };
}

const LINE_END = /\r\n?|\n/g;

/** Where the next line after `start` begins; undefined if that may still arrive. */
export function endOfLine(text: string, start: number, isWhole: boolean): number | undefined {
  LINE_END.lastIndex = start;
  const end = LINE_END.test(text) ? LINE_END.lastIndex : text.length;
  // A CR at the end of the data so far may be half of a CRLF.
  const isSure = isWhole || end < text.length || text.endsWith('\n');
  return isSure ? end : undefined;
}

export const countLineEnds = (text: string): number => text.match(LINE_END)?.length ?? 0;

const NOT_ASCII = /[\x80-\xff]/;

/** The decoded text; undefined if the bytes are not UTF-8. */
export function decode(bytes: string): string | undefined {
  if (!NOT_ASCII.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  return isUtf8(buffer) ? buffer.toString() : undefined;
}
