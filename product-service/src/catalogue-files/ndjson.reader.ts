import { parseJson } from '@shop/service-kit/text/texts';
import type { FileReader, FileRow } from './file.rows.ts';
import { UnreadableFile } from './import.errors.ts';
import { createScanner, decode, endOfLine, type Located, type Scan } from './row.scanner.ts';

/** One JSON object per line. */
export function createNdjsonReader(): FileReader {
  const scanner = createScanner(scanLine);
  let isEmpty = true;

  function* toRows(scanned: Iterable<Located<string>>): Generator<FileRow> {
    for (const found of scanned) {
      const { line, size } = found;
      if ('row' in found && found.row.trim() === '') {
        yield { line, size, isBlank: true };
        continue;
      }
      isEmpty = false;
      yield { line, size, ...('problem' in found ? { problem: found.problem } : toFields(found.row)) };
    }
  }

  return {
    take: (chunk) => toRows(scanner.take(chunk)),
    *end() {
      yield* toRows(scanner.end());
      if (isEmpty) throw new UnreadableFile('The file is empty');
    },
  };
}

const scanLine: Scan<string> = (text, start, isWhole) => {
  const end = endOfLine(text, start, isWhole);
  if (end === undefined) return undefined;
  const row = decode(text.slice(start, end));
  return { scanned: row === undefined ? { problem: 'The row is not UTF-8' } : { row }, end, lines: 1 };
};

function toFields(line: string) {
  const value = parseJson(line);
  if (value === undefined) return { problem: 'The line is not valid JSON' };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problem: 'The line must be a JSON object' };
  return { fields: value as Record<string, unknown> };
}
