import { Failure } from '../../scripts/lib/failure.ts';
import { type ImportOptions, type ImportResult, type Shop, ShopError } from '../typescript/src/index.ts';
import { explained, patiently } from './calls.ts';
import type { Source } from './read-rows.ts';

/** Rows per request. Progress is shown after each; the rate limit is ten requests a minute. */
const PART_ROWS = 10_000;
const PART_BYTES = 20_000_000;
const KEPT_ERRORS = 100;
const COUNTS = ['created', 'updated', 'unchanged', 'failed', 'stock_kept'] as const;

export interface Summary extends Record<(typeof COUNTS)[number], number> {
  /** Rows that are not products. */
  skipped: number;
  /** The first hundred. */
  errors: { line: number; message: string }[];
}

interface Work {
  source: Source;
  shop: Shop;
  options: ImportOptions & { signal: AbortSignal };
  /** Called when the shop has taken all rows up to this byte. */
  onSettled: (summary: Summary, end: number) => void;
}

/** Sends the rows of a file, part by part. */
export async function sendRows({ source, shop, options, onSettled }: Work): Promise<Summary> {
  const none = { created: 0, updated: 0, unchanged: 0, failed: 0, stock_kept: 0, skipped: 0 };
  const summary: Summary = { ...none, errors: [] };
  const skus = new Set();
  let isSent = false;
  let part = createPart(source.header);

  const report = (line: number, message: string) => {
    if (summary.errors.length < KEPT_ERRORS) summary.errors.push({ line, message });
  };
  const count = (result: Partial<ImportResult>) => {
    for (const name of COUNTS) summary[name] += result[name] ?? 0;
    for (const { line, message } of result.errors ?? []) report(part.lineOf(line), message);
  };
  const flush = async (end: number) => {
    const send = () => shop.products.import(part.text(), { ...options, type: source.type });
    // A part that was written half must not be sent again, or what was created would count as unchanged.
    const call = patiently(send, [429], options.signal).catch((error: unknown) => {
      if (!(error instanceof ShopError) || error.status === 0) throw error;
      const written = (error.problem ?? {}) as Partial<ImportResult>;
      count(written);
      throw new Failure(refusal(error, isSent || written.created ? summary : undefined));
    });
    count(await explained('', call));
    isSent = true;
    part = createPart(source.header);
    onSettled(summary, end);
  };
  let last = 0;
  for await (const { line, end, text, sku = '', problem } of source.rows) {
    last = end;
    const refused =
      problem ?? (sku !== '' && skus.has(sku) ? 'This SKU appears earlier in the file' : undefined);
    if (sku !== '') skus.add(sku);
    if (refused !== undefined) {
      summary.failed += 1;
      report(line, refused);
    } else if (text === undefined) summary.skipped += 1;
    else if (part.add(line, text)) await flush(end);
  }
  if (!isSent || !part.isEmpty()) await flush(last);
  return { ...summary, errors: summary.errors.toSorted((a, b) => a.line - b.line) };
}

function createPart(header: string) {
  const rows: string[] = [];
  /** Line of what is sent to line of the file. */
  const lines = new Map<number, number>();
  let next = header === '' ? 1 : 2;
  let size = 0;
  return {
    /** @returns whether the part is full */
    add(line: number, text: string) {
      rows.push(text);
      lines.set(next, line);
      next += text.split(/\r\n?|\n/).length - 1;
      size += text.length;
      return rows.length >= PART_ROWS || size >= PART_BYTES;
    },
    isEmpty: () => rows.length === 0,
    text: () => header + rows.join(''),
    lineOf: (line: number) => lines.get(line) ?? line,
  };
}

/** @param written what the shop has written before, if anything */
function refusal({ status, message }: ShopError, written: Summary | undefined) {
  if (written === undefined) return `The shop refuses the file: ${status} ${message}`;
  const { created, updated } = written;
  return `The shop stopped: ${status} ${message}. By then ${created} products were created and ${updated} updated; the same file can be imported again.`;
}
