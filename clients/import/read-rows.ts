import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';
import { Failure } from '../../scripts/lib/failure.ts';
import type { FileType } from '../typescript/src/index.ts';
import type { Options } from './options.ts';
import { FIELDS, SHOPS, type ToProduct } from './shops.ts';

const NEW_LINES = /\r\n?|\n/g;
/** The shop refuses longer rows. */
const MAX_ROW = 100_000;

/** A row of the file with the text to send, or the problem that prevents it, or neither if it is not a product. */
interface Row {
  /** Of the file. */
  line: number;
  /** Bytes of the file up to its end. */
  end: number;
  /** What is sent. */
  text?: string;
  sku?: string;
  problem?: string;
}

export interface Source {
  /** Of the parts. */
  type: FileType;
  /** First line of each part. */
  header: string;
  rows: AsyncIterable<Row>;
}

export async function openSource({ file, from, map }: Options): Promise<Source> {
  const isMapped = from !== undefined || Object.keys(map).length > 0;
  if (!/\.(ndjson|jsonl)$/i.test(file)) return openCsv(file, from, map);
  if (isMapped) throw new Failure('--map and --from are for CSV files.');
  return { type: 'application/x-ndjson', header: '', rows: readLines(file) };
}

async function* readLines(file: string) {
  let line = 0;
  let end = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    line += 1;
    end += Buffer.byteLength(text) + 1;
    if (text.trim() === '') continue;
    if (text.includes('\ufffd')) yield { line, end, problem: 'The row is not UTF-8' };
    else yield { line, end, text: `${text}\n`, sku: skuOf(text) };
  }
}

function skuOf(json: string) {
  try {
    return String(JSON.parse(json).sku ?? '').trim();
  } catch {
    // The shop reports the error.
    return '';
  }
}

async function openCsv(file: string, from: string | undefined, map: Record<string, string>): Promise<Source> {
  const { delimiter, hasHint } = await dialectOf(file);
  const parser = parse({
    bom: true,
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    from_line: hasHint ? 2 : 1,
    info: true,
    relax_column_count: true,
    max_record_size: MAX_ROW,
  });
  createReadStream(file)
    .once('error', (error) => parser.destroy(error))
    .pipe(parser);
  const records = parser[Symbol.asyncIterator]();
  let next = hasHint ? 2 : 1;
  // The parser counts a CRLF within quotes as two lines.
  const located = async () => {
    const { done, value } = await records.next().catch((error) => {
      throw new Failure(`The file cannot be read from line ${next} on: ${error.message}`);
    });
    if (done) return undefined;
    const cells = value.record as string[];
    const line = next;
    next += cells.join(' ').split(NEW_LINES).length;
    return { line, end: value.info.bytes, cells };
  };
  let first = await located();
  while (first && isBlank(first.cells)) first = await located();
  if (first === undefined) throw new Failure(`${file} is empty.`);
  const header = first.cells.map((name) => name.trim());
  if (/[\ufffd\0]/.test(header.join())) throw new Failure(`${file} is not UTF-8. Save it as CSV UTF-8.`);
  const toProduct = from === undefined ? mapped(header, map) : SHOPS[from as keyof typeof SHOPS]();
  const isOurs = toProduct === undefined;
  const by = from === 'woocommerce' ? ';' : delimiter;
  const names = header.map((name) => name.toLowerCase());

  const read = (cells: string[]) => {
    const cell = (column: string) => cells[names.indexOf(column.toLowerCase())]?.trim() ?? '';
    if (cells.some((text) => text.includes('\ufffd'))) return { problem: 'The row is not UTF-8' };
    if (isOurs) return { text: toCsv(cells, by), sku: cell('sku') };
    if (cells.slice(header.length).some(Boolean))
      return { problem: `The row has ${cells.length} columns, the header ${header.length}` };
    const fields = toProduct(cell);
    if (fields === undefined) return {};
    const values = FIELDS.map((name) => fields[name] ?? '');
    return { text: toCsv(values, by), sku: fields.sku ?? '' };
  };
  async function* rows() {
    for (let row = await located(); row; row = await located()) {
      const { cells, ...at } = row;
      if (!isBlank(cells)) yield { ...at, ...read(cells) };
    }
  }
  return { type: 'text/csv', header: toCsv(isOurs ? header : FIELDS, by), rows: rows() };
}

/**
 * @param map field to column
 * @returns undefined if the file is sent unchanged
 */
function mapped(header: string[], map: Record<string, string>): ToProduct | undefined {
  const chosen = Object.entries(map);
  if (chosen.length === 0) return undefined;
  const names = header.map((name) => name.toLowerCase());
  const missing = chosen.find(([, column]) => !names.includes(column.toLowerCase()));
  if (missing) throw new Failure(`The file has no column ${missing[1]}. It has: ${header.join(', ')}`);
  return (cell) => Object.fromEntries(FIELDS.map((name) => [name, cell(map[name] ?? name)]));
}

const isBlank = (cells: string[]) => cells.every((text) => text.trim() === '');

async function dialectOf(file: string) {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, 0);
    const [first = ''] = buffer
      .toString('utf8', 0, bytesRead)
      .replace(/^\ufeff/, '')
      .split(NEW_LINES, 1);
    const hint = /^sep=(.)$/i.exec(first)?.[1];
    if (hint !== undefined) return { delimiter: hint, hasHint: true };
    const unquoted = first.replaceAll(/"[^"]*"/g, '');
    const count = (sign: string) => unquoted.split(sign).length;
    const delimiter = [',', ';', '\t'].reduce((best, sign) => (count(sign) > count(best) ? sign : best));
    return { delimiter, hasHint: false };
  } finally {
    await handle.close();
  }
}

const toCsv = (cells: string[], delimiter: string) =>
  `${cells.map((text) => (text === '' ? '' : `"${text.replaceAll('"', '""')}"`)).join(delimiter)}\n`;
