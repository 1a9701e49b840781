import { Failure, reasonOf } from '../../scripts/lib/failure.ts';
import { sleep } from '../../scripts/lib/processes.ts';
import type { Source } from './read-rows.ts';

/** Rows per request. Progress is shown after each; the rate limit is ten requests a minute. */
const PART_ROWS = 10_000;
const PART_BYTES = 20_000_000;
const KEPT_ERRORS = 100;
const COUNTS = ['created', 'updated', 'unchanged', 'failed', 'stock_kept'] as const;

export interface Summary {
  created: number;
  updated: number;
  unchanged: number;
  failed: number;
  stock_kept: number;
  /** Rows that are not products. */
  skipped: number;
  /** The first hundred. */
  errors: { line: number; message: string }[];
}

type Response = Partial<Summary> & { detail?: string };

/** Sends the rows of a file, part by part. */
export async function sendRows({
  source,
  url,
  token,
  signIn,
  onSettled,
  onWait,
  signal,
}: {
  source: Source;
  url: string;
  token: string;
  /** Gives the next token when this one has expired. */
  signIn: () => Promise<string>;
  /** Called when the shop has taken all rows up to this byte. */
  onSettled: (summary: Summary, end: number) => void;
  onWait: (seconds: number) => void;
  signal: AbortSignal;
}): Promise<Summary> {
  const none = { created: 0, updated: 0, unchanged: 0, failed: 0, stock_kept: 0, skipped: 0 };
  const summary: Summary = { ...none, errors: [] };
  const skus = new Set();
  let current = token;
  let isSent = false;
  let part = createPart(source.header);

  const flush = async (end: number) => {
    const request = { url, type: source.type, text: part.text(), onWait, signal };
    let { status, body } = await post({ ...request, token: current });
    if (status === 401) {
      current = await signIn();
      ({ status, body } = await post({ ...request, token: current }));
    }
    for (const count of COUNTS) summary[count] += body[count] ?? 0;
    for (const { line, message } of body.errors ?? []) report(part.lineOf(line), message);
    if (status !== 200)
      throw new Failure(refusal(status, body, isSent || body.created ? summary : undefined));
    isSent = true;
    part = createPart(source.header);
    onSettled(summary, end);
  };
  const report = (line: number, message: string) => {
    if (summary.errors.length < KEPT_ERRORS) summary.errors.push({ line, message });
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
  const lines: Map<number, number> = new Map();
  let next = header === '' ? 1 : 2;
  let size = 0;
  return {
    /** @returns whether the part is full */
    add(line: number, text: string): boolean {
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

async function post({
  url,
  type,
  text,
  token,
  onWait,
  signal,
}: {
  url: string;
  type: string;
  text: string;
  token: string;
  onWait: (seconds: number) => void;
  signal: AbortSignal;
}): Promise<{ status: number; body: Response }> {
  for (;;) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': type, Authorization: `Bearer ${token}` },
      body: text,
      signal,
    }).catch((error) => {
      signal.throwIfAborted();
      throw new Failure(`${url} cannot be reached: ${reasonOf(error.cause ?? error)}`);
    });
    const body = (await response.json().catch(() => ({}))) as Response;
    if (response.status !== 429) return { status: response.status, body };
    const seconds = Math.max(1, Number(response.headers.get('retry-after')) || 1);
    onWait(seconds);
    await sleep(seconds * 1000);
    signal.throwIfAborted();
  }
}

/** @param written what the shop has written before, if anything */
function refusal(status: number, { detail = '' }: { detail?: string }, written: Summary | undefined) {
  if (written === undefined) return `The shop refuses the file: ${status} ${detail}`.trim();
  const { created, updated } = written;
  return `The shop stopped: ${status} ${detail}. By then ${created} products were created and ${updated} updated; the same file can be imported again.`;
}
