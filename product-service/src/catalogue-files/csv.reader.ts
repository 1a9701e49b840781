import { unmarkFormula } from './csv.formulas.ts';
import { readNumber } from './csv.numbers.ts';
import { type CsvRow, createCsvScan } from './csv.scanner.ts';
import type { FileReader, FileRow } from './file.rows.ts';
import { UnreadableFile } from './import.errors.ts';
import { createScanner, type Located, type Scanned } from './row.scanner.ts';

const NUMBERS = new Set(['price', 'stock']);
/** Exports of other shop systems have up to two hundred columns. */
const MAX_COLUMNS = 1000;

/**
 * The first row names the columns with the field names of the JSON, in any order and case. A short row is padded with
 * empty cells, and an empty cell sets no field.
 */
export function createCsvReader(): FileReader {
  const scanner = createScanner(createCsvScan());
  let columns: string[] | undefined;

  function* toRows(scanned: Iterable<Located<CsvRow>>): Generator<FileRow> {
    for (const found of scanned) {
      const { line, size } = found;
      if ('row' in found && isBlank(found.row)) yield { line, size, isBlank: true };
      else if (columns === undefined) columns = columnsOf(found);
      else yield { line, size, ...fieldsOf(columns, found) };
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

/** Empty lines, and the empty rows that spreadsheets append. */
const isBlank = ({ cells }: CsvRow) => usedOf(cells) === 0;

/** How many cells there are up to the last one that is not blank. */
const usedOf = (cells: string[]): number => cells.findLastIndex((text) => text.trim() !== '') + 1;

/** @throws UnreadableFile if the header has neither a SKU nor the required fields of a new product, or repeats a column */
function columnsOf(header: Scanned<CsvRow>): string[] {
  if ('problem' in header) throw new UnreadableFile(header.problem);
  const { cells } = header.row;
  const end = usedOf(cells);
  if (end > MAX_COLUMNS) throw new UnreadableFile(`The first row has more than ${MAX_COLUMNS} columns`);
  const columns = cells.slice(0, end).map((text) => text.trim().toLowerCase());
  const missing = columns.includes('sku') ? [] : ['name', 'price'].filter((name) => !columns.includes(name));
  if (missing.length > 0)
    throw new UnreadableFile(`The first row must name the columns; missing: ${missing.join(', ')}`);
  const twice = columns.find((name, i) => name !== '' && columns.indexOf(name) !== i);
  if (twice !== undefined) throw new UnreadableFile(`The column ${twice.slice(0, 50)} appears twice`);
  return columns;
}

function fieldsOf(columns: string[], scanned: Scanned<CsvRow>) {
  if ('problem' in scanned) return { problem: scanned.problem };
  const { isCommaFile } = scanned.row;
  const cells = scanned.row.cells.map(unmarkFormula);
  const used = usedOf(cells);
  const sku = cells[columns.indexOf('sku')];
  if (used > columns.length)
    return { problem: `The row has ${used} columns, the header ${columns.length}`, sku };
  // No prototype, because a column may have any name.
  const fields: Record<string, unknown> = Object.create(null);
  for (const [i, text] of cells.slice(0, used).entries()) {
    if (text.trim() === '') continue;
    const name = columns[i] ?? '';
    const value = NUMBERS.has(name) ? readNumber(text, isCommaFile) : text;
    if (typeof value === 'object')
      return { problem: `${name === 'price' ? 'Price' : 'Stock'} ${value.problem}`, sku };
    fields[name] = value;
  }
  return { fields };
}
