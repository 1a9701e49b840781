import { countLineEnds, decode, endOfLine, type Scan, type Scanned, type ScannedAt } from './row.scanner.ts';

export interface Cell {
  text: string;
  /** `""` is an empty text, nothing at all is none. */
  isQuoted: boolean;
}

const QUOTE = 34;
const LF = 10;
const CR = 13;
const DELIMITERS = [',', ';', '\t'];

/**
 * RFC 4180 with any line ends. A row with broken quotes fails alone: reading goes on at the next line. (csv-parse would
 * take the rows up to the next quote as part of it, or a broken quote as text.)
 */
export function createCsvScan(): Scan<Cell[]> {
  let delimiter: number | undefined;
  return (text, start, isWhole) => {
    delimiter ??= delimiterOf(text, start, isWhole);
    return delimiter === undefined ? undefined : scanRow(text, start, isWhole, delimiter);
  };
}

/** The one that the header has most of, outside quotes. */
function delimiterOf(text: string, start: number, isWhole: boolean): number | undefined {
  const end = endOfLine(text, start, isWhole);
  if (end === undefined) return undefined;
  const header = text.slice(start, end).replaceAll(/"[^"]*"/g, '');
  const counts = DELIMITERS.map((delimiter) => header.split(delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]?.charCodeAt(0);
}

function scanRow(
  text: string,
  start: number,
  isWhole: boolean,
  delimiter: number,
): ScannedAt<Cell[]> | undefined {
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
  return end === undefined ? undefined : { scanned: toRow(cells), end, lines: 1 + lineEndsIn(cells) };
}

interface RawCell {
  bytes: string;
  end: number;
  isQuoted: boolean;
  /** The quote that begins it is not closed. */
  isOpen: boolean;
}

const isBoundary = (code: number, delimiter: number) =>
  code === delimiter || code === LF || code === CR || Number.isNaN(code);

const problemOf = ({ isOpen }: RawCell) =>
  isOpen ? 'A quote is not closed' : 'Quotes belong around a whole cell, and are doubled within it';

const lineEndsIn = (cells: RawCell[]) =>
  cells.reduce((sum, { isQuoted, bytes }) => (isQuoted ? sum + countLineEnds(bytes) : sum), 0);

function toRow(cells: RawCell[]): Scanned<Cell[]> {
  const row: Cell[] = [];
  for (const { bytes, isQuoted } of cells) {
    const text = decode(bytes);
    if (text === undefined) return { problem: 'The row is not UTF-8' };
    row.push({ text, isQuoted });
  }
  return { row };
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

/** Behind the line end at `at`; a CR at the end of the text may be half of one. */
function endOfRow(text: string, at: number, isWhole: boolean): number | undefined {
  if (text.charCodeAt(at) !== CR) return Math.min(at + 1, text.length);
  if (at + 1 === text.length) return isWhole ? at + 1 : undefined;
  return text.charCodeAt(at + 1) === LF ? at + 2 : at + 1;
}
