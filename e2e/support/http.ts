import type { Exchange } from '@shop/service-kit/testing/response-check';

/** Is called with each request and its response. */
export const observers: ((exchange: Exchange) => void)[] = [];

/** Set by `npm run contract`: it compares requests and responses with docs/openapi.json. */
const PROXY = process.env['SHOP_TEST_PROXY'];

/** `fetch` of the shop, through the proxy where there is one. */
export function shopFetch(url: string, init: RequestInit): Promise<Response> {
  if (PROXY === undefined) return fetch(url, init);
  const { origin, pathname, search } = new URL(url);
  const headers = new Headers(init.headers);
  headers.set('x-shop-origin', origin);
  return fetch(PROXY + pathname + search, { ...init, headers });
}

/** Any JSON: the tests check its content. */
interface Json {
  readonly [field: string]: Json | undefined;
}

/** A response as tests see it. */
export interface Result {
  status: number;
  headers: Headers;
  body: Json;
  text: string;
}

interface CallOptions {
  token?: string | undefined;
  headers?: Record<string, string>;
  /** Milliseconds. */
  limit?: number;
}

/** One request with a time limit; rejects only if there was no response. */
export async function call(
  method: string,
  url: string,
  body?: unknown,
  options: CallOptions = {},
): Promise<Result> {
  const response = await shopFetch(url, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(options.limit ?? 100_000),
  });
  const text = await response.text();
  const { status, headers } = response;
  const { pathname: path } = new URL(url);
  const exchange = { method, path, sent: body, status, headers: Object.fromEntries(headers), text };
  for (const observe of observers) observe(exchange);
  return { status, headers, body: parse(text), text };
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {} as Json;
  }
}
