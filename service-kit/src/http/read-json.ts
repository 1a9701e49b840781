import { isUtf8 } from 'node:buffer';
import { json, type RequestHandler } from 'express';
import { JSON_BODY, MalformedRequest, RequestTimedOut, UnsupportedMediaType } from '../errors/http-errors.ts';

const parse = json({ limit: '100kb', strict: true, verify: requireUtf8 });
/** Milliseconds that a client may take to send the whole body. */
const TIME_LIMIT = 15_000;

/** Bytes that are not UTF-8 would be decoded to replacement characters, and stored. */
function requireUtf8(_request: unknown, _response: unknown, body: Buffer, charset: string): void {
  if (charset !== 'utf-8') throw new UnsupportedMediaType(JSON_BODY);
  if (!isUtf8(body)) throw new MalformedRequest('The body is not valid UTF-8');
}

/** Reads `application/json` in UTF-8 up to 100 kB (docs/http-api.md). Other bodies stay unread, and validation refuses them. */
export function createJsonReader(timeLimit = TIME_LIMIT): RequestHandler {
  return (request, response, next) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      next(new RequestTimedOut());
    }, timeLimit);
    parse(request, response, (error) => {
      if (isLate) return;
      clearTimeout(timer);
      next(error);
    });
  };
}
