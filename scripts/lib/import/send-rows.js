import { Failure, reasonOf } from '../failure.js';
import { sleep } from '../processes.js';

/** Rows per request. Progress is shown after each; the rate limit is ten requests a minute. */
const PART_ROWS = 10_000;
const PART_BYTES = 20_000_000;
const KEPT_ERRORS = 100;
const COUNTS = /** @type {const} */ (['created', 'updated', 'unchanged', 'failed', 'stock_kept']);

/**
 * @typedef {object} Summary
 * @property {number} created
 * @property {number} updated
 * @property {number} unchanged
 * @property {number} failed
 * @property {number} stock_kept
 * @property {number} skipped rows that are not products
 * @property {{ line: number, message: string }[]} errors the first hundred
 * @typedef {Partial<Summary> & { detail?: string }} Response
 */

/**
 * Sends the rows of a file, part by part.
 * @param {object} request
 * @param {import('./read-rows.js').Source} request.source
 * @param {string} request.url
 * @param {string} request.token
 * @param {() => Promise<string>} request.signIn gives the next token when this one has expired
 * @param {(summary: Summary, end: number) => void} request.onSettled called when the shop has taken all rows up to this byte
 * @param {(seconds: number) => void} request.onWait
 * @param {AbortSignal} request.signal
 * @returns {Promise<Summary>}
 */
export async function sendRows({ source, url, token, signIn, onSettled, onWait, signal }) {
  const none = { created: 0, updated: 0, unchanged: 0, failed: 0, stock_kept: 0, skipped: 0 };
  /** @type {Summary} */
  const summary = { ...none, errors: [] };
  const skus = new Set();
  let current = token;
  let isSent = false;
  let part = createPart(source.header);

  const flush = async (/** @type {number} */ end) => {
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
  const report = (/** @type {number} */ line, /** @type {string} */ message) => {
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

/** @param {string} header */
function createPart(header) {
  /** @type {string[]} */
  const rows = [];
  /** Line of what is sent to line of the file. @type {Map<number, number>} */
  const lines = new Map();
  let next = header === '' ? 1 : 2;
  let size = 0;
  return {
    /**
     * @param {number} line
     * @param {string} text
     * @returns {boolean} whether the part is full
     */
    add(line, text) {
      rows.push(text);
      lines.set(next, line);
      next += text.split(/\r\n?|\n/).length - 1;
      size += text.length;
      return rows.length >= PART_ROWS || size >= PART_BYTES;
    },
    isEmpty: () => rows.length === 0,
    text: () => header + rows.join(''),
    lineOf: (/** @type {number} */ line) => lines.get(line) ?? line,
  };
}

/**
 * @param {object} request
 * @param {string} request.url
 * @param {string} request.type
 * @param {string} request.text
 * @param {string} request.token
 * @param {(seconds: number) => void} request.onWait
 * @param {AbortSignal} request.signal
 * @returns {Promise<{ status: number, body: Response }>}
 */
async function post({ url, type, text, token, onWait, signal }) {
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
    const body = /** @type {Response} */ (await response.json().catch(() => ({})));
    if (response.status !== 429) return { status: response.status, body };
    const seconds = Math.max(1, Number(response.headers.get('retry-after')) || 1);
    onWait(seconds);
    await sleep(seconds * 1000);
    signal.throwIfAborted();
  }
}

/**
 * @param {number} status
 * @param {{ detail?: string }} body
 * @param {Summary | undefined} written what the shop has written before, if anything
 */
function refusal(status, { detail = '' }, written) {
  if (written === undefined) return `The shop refuses the file: ${status} ${detail}`.trim();
  const { created, updated } = written;
  return `The shop stopped: ${status} ${detail}. By then ${created} products were created and ${updated} updated; the same file can be imported again.`;
}
