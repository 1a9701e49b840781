import { errorCode, Failure } from './failure.js';
import { sleep } from './processes.js';

/** For the import of a catalogue on a busy machine; services end every other request much sooner. */
const TIMEOUT_MS = 60_000;
const RETRIES = 20;

/**
 * The parts of a response that scripts use.
 * @typedef {object} Body
 * @property {{ access_token: string }} [tokens]
 * @property {{ id: number, role: string }} [user]
 * @property {{ id: number, sku: string | null }[]} [products]
 * @property {{ id: number }} [order]
 * @property {number} [total_orders]
 * @property {string | null} [next_cursor]
 * @property {number} [created] rows of an import
 * @property {number} [updated]
 * @property {number} [failed]
 * @property {(string | { line: number, message: string })[]} [errors]
 * @property {string} [detail]
 * @property {string} [error]
 * @property {string} [code]
 * @typedef {{ status: number, body: Body }} Response
 *
 * @typedef {object} ShopRequest
 * @property {string} [method] POST if not given
 * @property {string} url
 * @property {unknown} [body] sent as JSON; a string is sent as it is, with the type that `headers` names
 * @property {string} [token]
 * @property {Record<string, string>} [headers]
 * @property {(seconds: number) => void} onWait called before each pause that the shop asks for
 */

/**
 * Sends a request, and repeats it after a 429 or a 503 with `Retry-After`. Only for requests that may be repeated.
 * @param {ShopRequest} request
 * @returns {Promise<Response>}
 */
export async function callShop(request) {
  for (let attempt = 0; ; attempt++) {
    const response = await send(request);
    const retryAfter = response.headers.get('retry-after');
    const isPassing = response.status === 429 || (response.status === 503 && retryAfter !== null);
    if (!isPassing || attempt === RETRIES) {
      const json = /** @type {Body} */ (await response.json().catch(() => ({})));
      return { status: response.status, body: json };
    }
    await response.arrayBuffer();
    const seconds = Math.max(1, Number(retryAfter) || 1);
    request.onWait(seconds);
    await sleep(seconds * 1000);
  }
}

/**
 * Status and messages of an error response.
 * @param {Response} response
 */
export function reasonOfRefusal({ status, body }) {
  const texts = body?.errors?.map((item) => (typeof item === 'string' ? item : item.message)).join(', ');
  return `${status} ${texts || (body?.detail ?? body?.error ?? 'no reason given')}`;
}

/** @param {ShopRequest} request */
async function send({ method = 'POST', url, body, token, headers }) {
  try {
    return await fetch(url, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause ? error.cause : error;
    const reason = errorCode(cause) ?? (error instanceof Error ? error.message : String(error));
    throw new Failure(`There is no response from ${url} (${reason}). Start the shop with: npm start`);
  }
}
