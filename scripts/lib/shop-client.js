import { errorCode, Failure } from './failure.js';
import { sleep } from './processes.js';

const TIMEOUT_MS = 10_000;
const RETRIES = 20;

/**
 * What scripts read of an answer: tokens after signing in, texts of a refusal.
 * @typedef {object} Body
 * @property {{ access_token: string }} [tokens]
 * @property {string[]} [errors]
 * @property {string} [detail]
 * @property {string} [error]
 * @property {string} [code]
 * @typedef {{ status: number, body: Body }} Answer
 */

/**
 * Sends JSON and waits as long as a 429 asks for.
 * @param {object} request
 * @param {string} request.url
 * @param {unknown} request.body
 * @param {string} [request.token]
 * @param {(seconds: number) => void} request.onWait
 * @returns {Promise<Answer>}
 */
export async function post({ url, body, token, onWait }) {
  for (let attempt = 0; ; attempt++) {
    const response = await send(url, body, token);
    if (response.status !== 429 || attempt === RETRIES) {
      const json = /** @type {Body} */ (await response.json().catch(() => ({})));
      return { status: response.status, body: json };
    }
    await response.arrayBuffer();
    const seconds = Math.max(1, Number(response.headers.get('retry-after')) || 1);
    onWait(seconds);
    await sleep(seconds * 1000);
  }
}

/**
 * @param {string} url
 * @param {unknown} body
 * @param {string | undefined} token
 */
async function send(url, body, token) {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause ? error.cause : error;
    const reason = errorCode(cause) ?? (error instanceof Error ? error.message : String(error));
    throw new Failure(`Nobody answers at ${url} (${reason}). Start the shop with: npm start`);
  }
}
