import { errorOf, ShopError } from './errors.ts';
import { type RetryOptions, unlessAborted, withRetries } from './retries.ts';
import type { SessionTokens } from './session.tokens.ts';
import type { ChangeOptions, Method, Path, PlaceOptions, ReadOptions, Result } from './types.ts';

/** A file to import. Browsers send a ReadableStream over HTTP/2 only; a Blob or File works everywhere. */
export type FileBody = Blob | ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | string;

interface Init {
  id?: number | string;
  query?: object | undefined;
  /** Sent as JSON. */
  body?: object;
  file?: { type: string; data: FileBody };
  /** Without the access token. */
  isOpen?: boolean;
  /** With an Idempotency-Key, which stays the same over retries. */
  isKeyed?: boolean;
  /** May be sent again; a GET always may. */
  isRepeatable?: boolean;
  /** Without a time limit. */
  isLong?: boolean;
  /** Leaves the body of the response to the caller. */
  isUnread?: boolean;
}

type CallerOptions = ReadOptions<object> & ChangeOptions & PlaceOptions;
type Call = Init & CallerOptions;

interface Settings {
  addressOf: (path: string) => string;
  fetch: typeof fetch;
  retry: RetryOptions;
  /** Of each request, its body included. */
  timeoutMs: number;
}

/** An import that cannot be sent twice needs a token that is good for a while. */
const LONG_MS = 60_000;

const etags = new WeakMap<object, string>();
/** The ETag of the response that a call returned. */
export const etagOf = (result: object): string | undefined => etags.get(result);

/** A key for one basket, also where `crypto.randomUUID` is missing: on pages without HTTPS. */
export const newIdempotencyKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );

export type Calls = ReturnType<typeof createCalls>;

/** Typed calls by method and path. The session is set once it exists, because it makes calls itself. */
export function createCalls({ addressOf, fetch, retry, timeoutMs }: Settings, tokens: () => SessionTokens) {
  async function attempt(method: string, url: string, init: Call, token?: string) {
    const headers = headersOf(init, token);
    const limit = init.isLong ? undefined : timeLimit(timeoutMs, init.signal);
    const signal = limit?.signal ?? init.signal;
    try {
      const response = await fetch(url, { method, headers, signal: signal ?? null, ...bodyOf(init) });
      return { response, text: await textOf(response, init.isUnread) };
    } catch (error) {
      if (error instanceof ShopError) throw error;
      signal?.throwIfAborted();
      throw new ShopError({ code: 'network', message: `${method} ${url} got no response`, cause: error });
    } finally {
      limit?.end();
    }
  }

  async function request(method: string, path: string, init: Call) {
    const { signal } = init;
    const url =
      addressOf(path) + path.replace('{id}', encodeURIComponent(init.id ?? '')) + queryOf(init.query);
    const send = (token?: string) =>
      withRetries(
        () => attempt(method.toUpperCase(), url, init, token),
        method === 'get' || init.isRepeatable ? retry : { tries: 1 },
        signal,
      );
    signal?.throwIfAborted();
    if (init.isOpen) return send();
    const token = await unlessAborted(signal, tokens().current(init.file ? LONG_MS : 0));
    try {
      return await send(token);
    } catch (error) {
      if (!(error instanceof ShopError) || error.status !== 401 || token === undefined) throw error;
      const renewed = (await unlessAborted(signal, tokens().renew(token)))?.access_token;
      if (renewed === undefined || init.file?.data instanceof ReadableStream) throw error;
      return send(renewed);
    }
  }

  async function json(method: string, path: string, init: Call, key?: PropertyKey): Promise<unknown> {
    const { response, text } = await request(method, path, init);
    if (response.status === 304) return init.ifNoneMatch;
    if (response.status === 204) return undefined;
    const body = parsed(response, text, key);
    const result = key === undefined ? body : body[key];
    const etag = response.headers.get('etag');
    if (etag !== null && typeof result === 'object') etags.set(result, etag);
    return result;
  }

  return {
    /** The body of the response. */
    send: <P extends Path, M extends Method<P>>(method: M, path: P, init: Init, options?: CallerOptions) =>
      json(method as string, path, callOf(init, options)) as Promise<Result<P, M>>,
    /** One member of the body. */
    take: <P extends Path, M extends Method<P>, Key extends keyof Result<P, M>>(
      method: M,
      path: P,
      key: Key,
      init: Init,
      options?: CallerOptions,
    ) => json(method as string, path, callOf(init, options), key) as Promise<Result<P, M>[Key]>,
    /** The response itself, its body unread. */
    open: async (path: Path, init: Init, options?: CallerOptions) =>
      (await request('get', path, callOf({ ...init, isLong: true, isUnread: true }, options))).response,
  };
}

/** Read by name: a spread would lose what an object inherits. */
function callOf(init: Init, { signal, ifMatch, ifNoneMatch, idempotencyKey }: CallerOptions = {}): Call {
  const key = init.isKeyed ? { idempotencyKey: idempotencyKey ?? newIdempotencyKey() } : {};
  return { ...init, ...key, signal, ifMatch, ifNoneMatch };
}

/** @throws ShopError for a response that is none of the good ones */
async function textOf(response: Response, isUnread = false): Promise<string> {
  const isGood = response.ok || response.status === 304;
  if (isGood && isUnread) return '';
  const text = await response.text();
  if (!isGood) throw errorOf(response, text);
  return text;
}

/** @throws ShopError if the response is of something else, as from a wrong address: a page, or JSON without this member */
function parsed(response: Response, text: string, key?: PropertyKey) {
  try {
    const body = JSON.parse(text);
    if (key === undefined ? typeof body === 'object' && body !== null : key in body) return body;
  } catch {
    // No JSON, or neither an object nor an array.
  }
  throw errorOf(response, text);
}

function timeLimit(ms: number, signal: AbortSignal | undefined) {
  const controller = new AbortController();
  const leave = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', leave);
  const timer = setTimeout(
    () => controller.abort(new ShopError({ code: 'timeout', message: `No response in ${ms} ms` })),
    ms,
  );
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
    },
  };
}

function headersOf({ body, file, ifMatch, ifNoneMatch, idempotencyKey }: Call, token: string | undefined) {
  const all: Record<string, string> = {};
  if (idempotencyKey !== undefined) all['Idempotency-Key'] = idempotencyKey;
  if (token !== undefined) all['Authorization'] = `Bearer ${token}`;
  if (body !== undefined) all['Content-Type'] = 'application/json';
  if (file !== undefined) all['Content-Type'] = file.type;
  if (ifMatch !== undefined) all['If-Match'] = typeof ifMatch === 'string' ? ifMatch : tagOf(ifMatch);
  const known = ifNoneMatch && etagOf(ifNoneMatch);
  if (known !== undefined) all['If-None-Match'] = known;
  return all;
}

function bodyOf({ body, file }: Init): { body?: string | FileBody; duplex?: 'half' } {
  if (file === undefined) return body === undefined ? {} : { body: JSON.stringify(body) };
  return { body: file.data, ...(file.data instanceof ReadableStream ? { duplex: 'half' } : {}) };
}

/** @throws TypeError rather than send a change without its condition */
function tagOf(known: object): string {
  const etag = etagOf(known);
  if (etag === undefined)
    throw new TypeError('This object has no ETag: pass what a read of the client returned');
  return etag;
}

function queryOf(query: object = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value));
  return `${params}` === '' ? '' : `?${params}`;
}
