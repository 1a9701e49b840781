import { createReadStream } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { errorCode, Failure } from '../failure.js';

/** The shop may be busy with what it was sent; milliseconds without a sign of it. */
const IDLE_MS = 60_000;

/**
 * @typedef {object} Summary
 * @property {number} created
 * @property {number} updated
 * @property {number} failed
 * @property {{ line: number, message: string }[]} errors
 * @property {boolean} errors_truncated
 */

/**
 * Streams a file to the shop.
 * @param {object} request
 * @param {string} request.url
 * @param {string} request.file
 * @param {number} request.size
 * @param {string} request.token
 * @param {(chunk: Buffer) => void} request.onSent
 * @param {AbortSignal} request.signal
 * @returns {Promise<Summary>}
 */
export async function sendFile({ url, file, size, token, onSent, signal }) {
  const { request } = url.startsWith('https:') ? https : http;
  const call = request(url, {
    method: 'POST',
    signal,
    timeout: IDLE_MS,
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': /\.(ndjson|jsonl)$/i.test(file) ? 'application/x-ndjson' : 'text/csv',
      'Content-Length': size,
    },
  });
  call.on('timeout', () => call.destroy(new Failure('The shop has stopped answering.')));
  const answered = new Promise((resolve, reject) => call.once('response', resolve).once('error', reject));
  const counted = new Transform({
    transform(chunk, _encoding, done) {
      onSent(chunk);
      done(null, chunk);
    },
  });
  const sent = pipeline(createReadStream(file), counted, call);
  // A refusal may come before the whole file is sent: then it is what counts.
  sent.catch(() => undefined);
  const answer = /** @type {http.IncomingMessage} */ (
    await answered.catch((error) => {
      signal.throwIfAborted();
      throw error instanceof Failure ? error : new Failure(`${url} cannot be reached: ${reasonOf(error)}`);
    })
  );
  const body = parse(await text(answer));
  if (answer.statusCode !== 200)
    throw new Failure(`The shop refuses the file: ${answer.statusCode} ${body.detail ?? ''}`.trim());
  return /** @type {Summary} */ (body);
}

/** @param {unknown} error */
const reasonOf = (error) => errorCode(error) ?? (error instanceof Error ? error.message : String(error));

/**
 * @param {string} json
 * @returns {Record<string, unknown>}
 */
function parse(json) {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}
