import type { Readable } from 'node:stream';

const REPLY: unique symbol = Symbol('reply');

/** A response with headers, another status or an ETag. Handlers that need none of these return the plain body. */
export interface Reply<Body> {
  readonly [REPLY]: true;
  readonly status?: number;
  readonly headers: Record<string, string>;
  readonly etag?: string;
  /** Serialised with the response schema of the route. */
  readonly json?: Body;
  /** Finished bytes, for example cached ones: sent unchanged. */
  readonly bytes?: string | Buffer | Readable;
  readonly contentType?: string;
}

interface ReplyOptions {
  status?: number;
  headers?: Record<string, string>;
  /** Including the quotes. A GET with a matching `If-None-Match` gets 304. */
  etag?: string;
}

/** A body for the route's response schema, with headers, another status or an ETag. */
export function reply<Body>(json: Body, options: ReplyOptions = {}): Reply<Body> {
  return { [REPLY]: true, headers: {}, ...options, json };
}

/** Finished bytes or a stream, sent without the response schema. `contentType` defaults to JSON. */
export function rawReply(
  bytes: string | Buffer | Readable,
  options: ReplyOptions & { contentType?: string } = {},
): Reply<never> {
  return { [REPLY]: true, headers: {}, ...options, bytes };
}

export function isReply(value: unknown): value is Reply<unknown> {
  return typeof value === 'object' && value !== null && REPLY in value;
}
