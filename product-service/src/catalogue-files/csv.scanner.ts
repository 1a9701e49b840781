import { countLineEnds, decode, endOfLine, type Scan, type Scanned, type ScannedAt } from './row.scanner.ts';

export interface CsvRow {
  cells: string[];
  /** Cells are separated by commas, so that none of them is a decimal sign. */
  isCommaFile: boolean;
}

const QUOTE = 34;
const LF = 10;
const CR = 13;
const COMMA = 44;
const DELIMITERS = [',', ';', '\t'];

/**
 * RFC 4180 with any line endings. A row with broken quotes fails alone, and reading continues at the next line. (csv-parse
 * would swallow the rows up to the next quote, or read a broken quote as text.)
 */
export function createCsvScan(): Scan<CsvRow> {
  let delimiter: string | undefined;
  return (text, start, isWhole) => {
    if (delimiter !== undefined) return scanRow(text, start, isWhole, delimiter);
    const end = endOfLine(text, start, isWhole);
    if (end === undefined) return undefined;
    const line = text.slice(start, end);
    delimiter = DECLARED_DELIMITER.exec(line)?.[1];
    if (delimiter === undefined && line.trim() !== '') {
      delimiter = delimiterOf(line);
      return scanRow(text, start, isWhole, delimiter);
    }
    return { scanned: { row: { cells: [], isCommaFile: false } }, end, lines: 1 };
  };
}

/** The first line by which spreadsheets declare the separator. */
const DECLARED_DELIMITER = /^"?sep=([,;\t])"?\s*$/i;

/** The separator that occurs most often in the header, outside quotes. */
function delimiterOf(line: string): string {
  const header = line.replaceAll(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((delimiter) => header.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
}

function scanRow(
  text: string,
  start: number,
  isWhole: boolean,
  separator: string,
): ScannedAt<CsvRow> | undefined {
  const delimiter = separator.charCodeAt(0);
  const cells: RawCell[] = [];
  let at = start;
  for (;;) {
    const cell = cellAt(text, at, delimiter);
    if (cell.end === text.length && !isWhole) return undefined;
    if (cell.isOpen || !isBoundary(text.charCodeAt(cell.end), delimiter)) {
      const end = endOfLine(text, start, isWhole);
      return end === undefined ? undefined : { scanned: { problem: problemOf(cell) }, end, lines: 1 };
    }
    cells.push(cell);
    at = cell.end;
    if (text.charCodeAt(at) !== delimiter) break;
    at += 1;
  }
  const end = endOfRow(text, at, isWhole);
  return end === undefined
    ? undefined
    : { scanned: toRow(cells, delimiter === COMMA), end, lines: 1 + lineEndsIn(cells) };
}

interface RawCell {
  bytes: string;
  end: number;
  isQuoted: boolean;
  /** Its opening quote is not closed. */
  isOpen: boolean;
}

const isBoundary = (code: number, delimiter: number) =>
  code === delimiter || code === LF || code === CR || Number.isNaN(code);

const problemOf = ({ isOpen }: RawCell) =>
  isOpen ? 'A quote is not closed' : 'Quotes must enclose a whole cell, and must be doubled inside it';

const lineEndsIn = (cells: RawCell[]) =>
  cells.reduce((sum, { isQuoted, bytes }) => (isQuoted ? sum + countLineEnds(bytes) : sum), 0);

function toRow(raw: RawCell[], isCommaFile: boolean): Scanned<CsvRow> {
  const cells: string[] = [];
  for (const { bytes } of raw) {
    const text = decode(bytes);
    if (text === undefined) return { problem: 'The row is not UTF-8' };
    cells.push(text);
  }
  return { row: { cells, isCommaFile } };
}

function cellAt(text: string, start: number, delimiter: number): RawCell {
  return text.charCodeAt(start) === QUOTE ? quotedCell(text, start) : plainCell(text, start, delimiter);
}

function quotedCell(text: string, start: number): RawCell {
  let bytes = '';
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return { bytes, end: text.length, isQuoted: true, isOpen: true };
    bytes += text.slice(from, quote);
    if (text.charCodeAt(quote + 1) !== QUOTE) return { bytes, end: quote + 1, isQuoted: true, isOpen: false };
    bytes += '"';
    from = quote + 2;
  }
}

function plainCell(text: string, start: number, delimiter: number): RawCell {
  let end = start;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (code === QUOTE || isBoundary(code, delimiter)) break;
    end += 1;
  }
  return { bytes: text.slice(start, end), end, isQuoted: false, isOpen: false };
}

/** The position after the line ending at `at`. A CR at the end of the text may be half of a CRLF. */
function endOfRow(text: string, at: number, isWhole: boolean): number | undefined {
  if (text.charCodeAt(at) !== CR) return Math.min(at + 1, text.length);
  if (at + 1 === text.length) return isWhole ? at + 1 : undefined;
  return text.charCodeAt(at + 1) === LF ? at + 2 : at + 1;
}
