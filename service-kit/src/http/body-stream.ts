import { Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Request, Response } from 'express';
import { AppError } from '../errors/app-error.ts';
import {
  BodyTooLarge,
  MalformedRequest,
  RequestTimedOut,
  UnsupportedMediaType,
} from '../errors/http-errors.ts';

/** Rules for a request body that a route reads as a stream. */
export interface StreamRules {
  /** Media types in lower case; the body must be UTF-8. */
  types: readonly string[];
  /** Schema and example of some of the types, for the API document. */
  examples?: Readonly<Record<string, object>>;
  /** Largest body in bytes, after decompression. */
  maxBytes: number;
  /** Milliseconds that the client may take for each further 16 kB while the handler waits for data. */
  stallTimeout?: number;
}

export interface BodyStream {
  /** One of the types that the route accepts. */
  readonly mediaType: string;
  /** The whole header, including parameters. */
  readonly contentType: string;
  /**
   * Read at the handler's pace, with backpressure to the client. Fails with an AppError if the body is too large, stalls,
   * breaks off or cannot be decompressed, and if the client disconnects, even after the last byte arrived. A handler may
   * stop reading early, or never start.
   */
  readonly bytes: AsyncIterable<Buffer>;
}

const STALL_TIMEOUT = 15_000;
/** Bytes that count as progress, so that a client that sends a byte now and then cannot occupy a handler indefinitely. */
const PROGRESS = 16 * 1024;
/** Bytes buffered between connection and handler. A disconnect is noticed once the rest of the body fits in here. */
const BUFFERED = 1024 * 1024;

const DECODERS: Record<string, () => Transform> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** Emitted on a request whose body ended early or cannot be parsed further. */
export const BROKEN_OFF = 'broken-off';

/** @throws UnsupportedMediaType 415 for another type, charset or compression, BodyTooLarge 413 for an announced size */
export function openBodyStream(rules: StreamRules, request: Request, response: Response): BodyStream {
  const mediaType = mediaTypeOf(request, rules);
  const decoder = decoderOf(request);
  if (Number(request.headers['content-length'] ?? 0) > rules.maxBytes) throw tooLarge(rules);
  const received = receive(request, rules.stallTimeout ?? STALL_TIMEOUT);
  const opened = decoder === undefined ? received : inflate(received, decoder());
  // Even if the whole body has arrived: the client can no longer read the result.
  response.once('close', () => opened.destroy(new MalformedRequest('The body broke off')));
  return {
    mediaType,
    contentType: request.headers['content-type'] ?? '',
    bytes: bounded(opened, rules),
  };
}

function mediaTypeOf({ headers }: Request, { types }: StreamRules): string {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => /^\s*charset="?([^"\s]+)"?\s*$/.exec(parameter)?.[1])
    .find(Boolean);
  const isUtf8 = charset === undefined || ['utf-8', 'utf8', 'us-ascii'].includes(charset);
  if (!types.includes(type.trim()) || !isUtf8)
    throw new UnsupportedMediaType(`${types.join(' or ')} in UTF-8`);
  return type.trim();
}

function decoderOf({ headers }: Request): (() => Transform) | undefined {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity') return undefined;
  const decoder = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
  if (decoder === undefined)
    throw new UnsupportedMediaType('plain or compressed with gzip, deflate or br, once');
  return decoder;
}

function tooLarge({ maxBytes }: StreamRules): AppError {
  return new BodyTooLarge(maxBytes >= 1e6 ? `${Math.floor(maxBytes / 1e6)} MB` : `${maxBytes} bytes`);
}

/**
 * The bytes as they arrive. Not the request itself: a reader that stops early destroys its stream, and destroying the
 * request would close the connection before the response is sent.
 */
function receive(request: Request, stallTimeout: number): Readable {
  let timer: NodeJS.Timeout | undefined;
  let progress = 0;
  // The timer runs only while the handler waits for data: a slow handler is not the client's fault.
  const wait = () => {
    timer ??= setTimeout(() => source.destroy(new RequestTimedOut()), stallTimeout);
  };
  const stopWaiting = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  const take = (chunk: Buffer) => {
    progress += chunk.length;
    if (progress >= PROGRESS) {
      progress = 0;
      timer?.refresh();
    }
    if (source.push(chunk)) return;
    request.pause();
    stopWaiting();
  };
  const end = () => {
    stopWaiting();
    source.push(null);
  };
  const breakOff = () => source.destroy(new MalformedRequest('The body broke off'));
  const source = new Readable({
    highWaterMark: BUFFERED,
    read() {
      if (!request.complete) wait();
      request.resume();
    },
    destroy(error, done) {
      stopWaiting();
      // Discards the rest of the body.
      request.off('data', take).off('end', end).off(BROKEN_OFF, breakOff).resume();
      done(error);
    },
  });
  request.on('data', take).once('end', end).once(BROKEN_OFF, breakOff).pause();
  ignoreErrors(source);
  return source;
}

/** A reader of the stream receives its error anyway; a request that is refused unread has no reader. */
function ignoreErrors(stream: Readable): void {
  stream.on('error', () => undefined);
}

/** An error of the source destroys the decoder with the same error. */
function inflate(source: Readable, decoder: Transform): Readable {
  ignoreErrors(decoder);
  source.once('error', (error) => decoder.destroy(error));
  decoder.once('close', () => source.destroy());
  return source.pipe(decoder);
}

async function* bounded(source: Readable, rules: StreamRules): AsyncGenerator<Buffer> {
  let size = 0;
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > rules.maxBytes) throw tooLarge(rules);
      yield chunk;
    }
  } catch (error) {
    throw error instanceof AppError ? error : new MalformedRequest('The body cannot be decompressed');
  }
}
