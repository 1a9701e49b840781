import { describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { createCsvReader } from './csv.reader.ts';
import type { FileRow } from './file.rows.ts';

/** Reads a file in pieces that end at these places, wherever that is. */
function read(file: Buffer, cuts: number[]): FileRow[] {
  const reader = createCsvReader();
  const rows: FileRow[] = [];
  const ends = [...cuts.map((cut) => cut % (file.length + 1)).sort((a, b) => a - b), file.length];
  let start = 0;
  for (const end of ends) {
    rows.push(...reader.take(file.subarray(start, end)));
    start = end;
  }
  return [...rows, ...reader.end()];
}

const COLUMNS = ['sku', 'name', 'price', 'other'];
const delimiter = fc.constantFrom(',', ';', '\t');
const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const text = fc.string({
  unit: fc.constantFrom('a', 'é', '🦊', '"', ',', ';', '\t', '\n', '\r', ' ', '='),
  maxLength: 12,
});
const cells = fc.array(fc.tuple(text, text, text, text), { maxLength: 30 });
const cuts = fc.array(fc.nat(), { maxLength: 5 });

function saidBy(row: FileRow) {
  if ('isBlank' in row) return [];
  return ['fields' in row ? row.fields : row.problem];
}
const orEmpty = (value = '') => (value.trim() === '' ? '' : value);
const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`;

describe('a CSV reader', () => {
  test('reads what csv-parse reads, wherever the pieces end', () => {
    fc.assert(
      fc.property(cells, delimiter, lineEnd, cuts, fc.boolean(), (rows, by, end, at, pad) => {
        const lines = [COLUMNS, ...rows.map((row) => row.map(quoted))].map((row) => row.join(by));
        // Beyond the portion in which pieces are scanned, so that rows are cut there too.
        const padding = pad ? `x${by}${quoted('p'.repeat(40_000))}${by}1${by}${end}` : '';
        const file = Buffer.from(`${lines[0]}${end}${padding}${lines.slice(1).join(end)}`);
        const expected = parse(file, { delimiter: by, record_delimiter: end, columns: true }) as Record<
          string,
          string
        >[];
        const found = read(file, at).flatMap(saidBy);
        const kept = expected.filter((row) => Object.values(row).some((value) => value.trim() !== ''));
        expect(found).toHaveLength(kept.length);
        for (const [i, row] of kept.entries()) {
          for (const name of ['sku', 'name', 'other']) {
            const fields = found[i] as Record<string, unknown>;
            expect(fields[name] ?? '').toBe(orEmpty(row[name]));
          }
        }
      }),
    );
  });

  test('accepts any bytes without an error, and reports each line once', () => {
    const header = Buffer.from('sku,name,price,other\n');
    const bytes = fc.array(fc.constantFrom(34, 44, 10, 13, 97, 0xc3, 0xa9, 0), { maxLength: 200 });
    fc.assert(
      fc.property(bytes, cuts, (body, at) => {
        const file = Buffer.concat([header, Buffer.from(body)]);
        const lines = read(file, at).map(({ line }) => line);
        expect(lines).toEqual([...new Set(lines)].sort((a, b) => a - b));
        const last = file.toString('latin1').split(/\r\n?|\n/).length;
        for (const line of lines) expect(line >= 2 && line <= last).toBe(true);
        expect(read(file, [])).toEqual(read(file, at));
      }),
    );
  });
});
