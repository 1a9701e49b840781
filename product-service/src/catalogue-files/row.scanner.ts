import { isUtf8 } from 'node:buffer';

/** What a row of a file says, or why it cannot be told. */
export type Scanned<Row> = { row: Row } | { problem: string };

/** A row, the line of the file on which it begins, counted from 1, and its bytes. */
export type Located<Row> = Scanned<Row> & { line: number; size: number };

export interface ScannedAt<Row> {
  scanned: Scanned<Row>;
  /** Where the next row begins. */
  end: number;
  /** Lines of the file that the row takes. */
  lines: number;
}

/**
 * Reads the row that begins at `start`; undefined when it ends behind `text` and more may come.
 * @param text one character per byte
 * @param isWhole nothing comes behind `text`
 */
export type Scan<Row> = (text: string, start: number, isWhole: boolean) => ScannedAt<Row> | undefined;

/** A row is a product: what is longer is none, such as the rest of a file behind a quote that is never closed. */
const MAX_ROW = 100_000;
/** Chunks are joined until there is this much, so that a client's small pieces are not scanned again and again. */
const PORTION = 32_768;
/** Byte order mark, in bytes. */
const BOM = '\xef\xbb\xbf';

/**
 * Cuts the bytes of a file into rows, with memory for one row and one portion. All that separates rows and cells is
 * ASCII, so the bytes are scanned as they are and each text is decoded by itself: a wrong byte spoils one row only.
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
    /** The rows that end within what has come so far; to be read to the last before the next call. */
    take(chunk: Buffer): Iterable<Located<Row>> {
      waiting.push(chunk);
      const length = waiting.reduce((sum, part) => sum + part.length, 0);
      return length < PORTION ? [] : scanAll(false);
    },
    /** The rows that are left at the end of the file. */
    end: (): Iterable<Located<Row>> => scanAll(true),
  };
}

const LINE_END = /\r\n?|\n/g;

/** Where the line after the one of `start` begins; undefined when that may come later. */
export function endOfLine(text: string, start: number, isWhole: boolean): number | undefined {
  LINE_END.lastIndex = start;
  const end = LINE_END.test(text) ? LINE_END.lastIndex : text.length;
  // A CR that is the last character so far may be half of a line end.
  const isSure = isWhole || end < text.length || text.endsWith('\n');
  return isSure ? end : undefined;
}

export const countLineEnds = (text: string): number => text.match(LINE_END)?.length ?? 0;

const NOT_ASCII = /[\x80-\xff]/;

/** The text of bytes; undefined when they are not UTF-8. */
export function decode(bytes: string): string | undefined {
  if (!NOT_ASCII.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  return isUtf8(buffer) ? buffer.toString() : undefined;
}
