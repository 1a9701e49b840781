import { type Cell, createCsvScan } from './csv.scanner.ts';
import { UnreadableFile } from './import.errors.ts';
import type { FileReader, FileRow } from './import.reader.ts';
import { createScanner, type Located, type Scanned } from './row.scanner.ts';

const REQUIRED = ['name', 'price'];
const NUMBER = /^-?\d{1,15}(\.\d{1,15})?$/;
/** What an empty cell says of these columns; of others it says nothing, as if the column were missing. */
const NULL_WHEN_EMPTY = new Set(['sku', 'description', 'image_url']);
const NUMBERS = new Set(['price', 'stock']);

/** The first row names the columns, with the names that JSON has, in any order and case. */
export function createCsvReader(): FileReader {
  const scanner = createScanner(createCsvScan());
  let columns: string[] | undefined;

  function* toRows(scanned: Iterable<Located<Cell[]>>): Generator<FileRow> {
    for (const found of scanned) {
      if ('row' in found && isBlank(found.row)) continue;
      if (columns === undefined) columns = columnsOf(found);
      else yield { line: found.line, ...fieldsOf(columns, found) };
    }
  }

  return {
    take: (chunk) => toRows(scanner.take(chunk)),
    *end() {
      yield* toRows(scanner.end());
      if (columns === undefined) throw new UnreadableFile('The file is empty');
    },
  };
}

/** Empty lines, and the empty rows that spreadsheets leave at the end. */
const isBlank = (row: Cell[]) => row.every(({ text }) => text === '');

/** @throws UnreadableFile for a header without the columns that every product needs, or with one of them twice */
function columnsOf(header: Scanned<Cell[]>): string[] {
  if ('problem' in header) throw new UnreadableFile(header.problem);
  const columns = header.row.map(({ text }) => text.trim().toLowerCase());
  const missing = REQUIRED.filter((name) => !columns.includes(name));
  if (missing.length > 0)
    throw new UnreadableFile(`The first row must name the columns; missing: ${missing.join(', ')}`);
  const twice = columns.find((name, i) => name !== '' && columns.indexOf(name) !== i);
  if (twice !== undefined) throw new UnreadableFile(`The column ${twice.slice(0, 50)} is there twice`);
  return columns;
}

function fieldsOf(columns: string[], scanned: Scanned<Cell[]>) {
  if ('problem' in scanned) return { problem: scanned.problem };
  const { row } = scanned;
  if (row.length !== columns.length)
    return { problem: `The row has ${row.length} columns, the header ${columns.length}` };
  // Without a prototype: a column may have any name.
  const fields: Record<string, unknown> = Object.create(null);
  for (const [i, cell] of row.entries()) {
    const name = columns[i] ?? '';
    const value = toValue(name, cell);
    if (value !== undefined) fields[name] = value;
  }
  return { fields };
}

function toValue(name: string, { text, isQuoted }: Cell): unknown {
  if (text === '' && name === 'description' && isQuoted) return '';
  if (text === '') return NULL_WHEN_EMPTY.has(name) ? null : undefined;
  return NUMBERS.has(name) && NUMBER.test(text.trim()) ? Number(text) : text;
}
